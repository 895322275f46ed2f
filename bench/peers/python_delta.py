"""Kafka to Delta the way it is done in Python with confluent-kafka and delta-rs: each value is checked as UTF-8 and JSON and
kept as text beside its coordinates; a batch becomes an Arrow table and one append.

python_delta.py BOOTSTRAP TOPIC PARTITIONS RECORDS TABLE BATCH
"""

import datetime
import json
import resource
import sys

import pyarrow as pa
from confluent_kafka import Consumer, TopicPartition
from deltalake import WriterProperties, write_deltalake

bootstrap, topic, partitions, records, table, batch = sys.argv[1:]
SCHEMA = pa.schema(
    [
        ("_kafka_partition", pa.int32()),
        ("_kafka_offset", pa.int64()),
        ("_kafka_timestamp", pa.timestamp("us", "UTC")),
        ("_ingested_at", pa.timestamp("us", "UTC")),
        ("_ingestion_date", pa.date32()),
        ("value", pa.string()),
    ]
)
PROPERTIES = WriterProperties(compression="ZSTD", compression_level=1)


def write(messages):
    now = datetime.datetime.now(datetime.timezone.utc)
    columns = [
        pa.array([message.partition() for message in messages], pa.int32()),
        pa.array([message.offset() for message in messages], pa.int64()),
        pa.array([message.timestamp()[1] * 1000 for message in messages], pa.timestamp("us", "UTC")),
        pa.array([now] * len(messages), pa.timestamp("us", "UTC")),
        pa.array([now.date()] * len(messages), pa.date32()),
        pa.array([text(message) for message in messages], pa.string()),
    ]
    write_deltalake(
        table,
        pa.Table.from_arrays(columns, schema=SCHEMA),
        mode="append",
        partition_by=["_ingestion_date"],
        writer_properties=PROPERTIES,
    )


def text(message):
    value = message.value().decode("utf-8")
    json.loads(value)
    return value


consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "bench-python", "enable.auto.commit": False})
consumer.assign([TopicPartition(topic, number, 0) for number in range(int(partitions))])
held, total = [], 0
while total < int(records):
    for message in consumer.consume(10000, 1.0):
        if message.error():
            sys.exit(str(message.error()))
        held.append(message)
        total += 1
    if len(held) >= int(batch) or (total == int(records) and held):
        write(held)
        held = []
consumer.close()
usage = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"cpuSeconds": usage.ru_utime + usage.ru_stime, "peakRssMiB": usage.ru_maxrss / 1024, "records": total}))
