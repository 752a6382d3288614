"""What is written from values.yaml is current."""

from helm.values_schema import main


def test_schema_and_table_are_current():
    main(["--check"])
