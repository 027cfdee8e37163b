"""How it looks: arrays in, figures and uint8 pictures out. No torch, no files."""
