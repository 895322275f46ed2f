"""Produces the records of standard input, each after its length in four bytes: produce.py BOOTSTRAP TOPIC PARTITIONS CODEC"""

import struct
import sys

from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

bootstrap, topic, partitions, codec = sys.argv[1:]
admin = AdminClient({"bootstrap.servers": bootstrap})
for created in admin.create_topics([NewTopic(topic, int(partitions), 1)]).values():
    created.result()
producer = Producer(
    {
        "bootstrap.servers": bootstrap,
        "compression.type": codec,
        "linger.ms": 20,
        "enable.idempotence": True,
        "queue.buffering.max.messages": 200000,
    }
)


def records():
    while head := sys.stdin.buffer.read(4):
        yield sys.stdin.buffer.read(struct.unpack("<I", head)[0])


for number, record in enumerate(records()):
    while True:
        try:
            producer.produce(topic, record, partition=(number // 500) % int(partitions))
            break
        except BufferError:
            producer.poll(0.1)
    producer.poll(0)
if producer.flush(60) > 0:
    sys.exit("not all records were delivered")
