"""The servers that Galleria is measured against: each small, usual for its kind, and under the same guarantees."""
