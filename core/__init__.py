"""The floor: PostgreSQL, Redis, time and money, without a word of commerce."""
