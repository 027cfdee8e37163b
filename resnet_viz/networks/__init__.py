"""What can be built: the ResNet family, the small course networks, and the zoo that names them."""
