"""Counts what lies in Delta tables and their dead-letter tables, by deltalake; `storage` has its storage options."""

from deltalake import DeltaTable

from counting import count


def rows(job, path, columns):
    return DeltaTable(path, storage_options=job["storage"]).to_pyarrow_dataset().to_table(columns=columns)


count(rows)
