"""What can be learned from: data sets, preprocessing, augmentation, and the decoding of uploads."""
