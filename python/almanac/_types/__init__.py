"""What annotations say, and what is made of values by them."""
