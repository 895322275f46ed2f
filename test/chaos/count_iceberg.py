"""Counts what lies in Iceberg tables and their dead-letter tables, by pyiceberg; `catalog` has its properties of the catalog."""

from pyiceberg.catalog import load_catalog

from counting import count


def rows(job, path, columns):
    return load_catalog("test", **job["catalog"]).load_table(path).scan(selected_fields=tuple(columns)).to_arrow()


count(rows)
