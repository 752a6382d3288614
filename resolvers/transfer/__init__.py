"""Products in and out of a shop as the CSV files that Shopify exports."""
