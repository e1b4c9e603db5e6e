"""What surfaces look like: random numbers in, paints of cloth, skin and hair out."""
