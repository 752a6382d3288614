"""What clients may ask: types, arguments, descriptions and permissions."""
