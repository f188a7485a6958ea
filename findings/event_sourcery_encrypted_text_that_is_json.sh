#!/usr/bin/env bash
# python-event-sourcery 0.6.1, pydantic 2.14.4, Python 3.11; seen on 2026-12-01.
#
# An encrypted field of text is encrypted as it is, but what is decrypted is tried as JSON first. So a text that
# happens to be JSON comes back as something else. One in quotes loses them, without a word. One of digits becomes a
# number, "null" becomes None, and pydantic then refuses the event: `append` raises, since it reads back what it
# wrote. In the store in memory the event is kept all the same, and from then on its stream cannot be loaded. A
# telephone number with a leading zero works, and one without does not.
#
# Whoever seals fields one by one must seal the type with the value: encode every value in the same way before it is
# encrypted, texts included.
#
# Seen output:
#   030 1234: append: stored; read: 030 1234
#   0301234: append: stored; read: 0301234
#   301234: append: ValidationError, Input should be a valid string [type=string_type, input_value=301234, input_type=int]; read: ValidationError, Input should be a valid string [type=string_type, input_value=301234, input_type=int]
#   "Tom": append: stored; read: Tom
#   null: append: ValidationError, Input should be a valid string [type=string_type, input_value=None, input_type=NoneType]; read: ValidationError, Input should be a valid string [type=string_type, input_value=None, input_type=NoneType]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet python-event-sourcery==0.6.1 pydantic==2.14.4 2>"$folder/pip.log" || { cat "$folder/pip.log" >&2; exit 2; }
cat >"$folder/program.py" <<'PROGRAM'
from typing import Annotated

from event_sourcery import StreamId
from event_sourcery._event_store.event.encryption import EncryptionStrategy
from event_sourcery._event_store.in_memory import InMemoryKeyStorage
from event_sourcery.backend import InMemoryBackend
from event_sourcery.encryption import DataSubject, Encrypted
from event_sourcery.event import Event


class Backwards(EncryptionStrategy):
    """Stands for a cipher: what is decrypted is what was encrypted."""

    def encrypt(self, data, key):
        return data[::-1]

    def decrypt(self, data, key):
        return data[::-1]


class Signed(Event):
    user: Annotated[str, DataSubject]
    phone: Annotated[str, Encrypted(mask_value="-")]


keys = InMemoryKeyStorage()
keys.store("u-1", b"key")
store = InMemoryBackend().configure().with_encryption(Backwards(), keys).event_store


def tried(act) -> str:
    try:
        return act()
    except Exception as error:
        return f"{type(error).__name__}, {str(error).splitlines()[2].strip()}"


for phone in ("030 1234", "0301234", "301234", '"Tom"', "null"):
    stream = StreamId()
    appended = tried(lambda: store.append(Signed(user="u-1", phone=phone), stream_id=stream) or "stored")
    print(f"{phone}: append: {appended}; read: {tried(lambda: store.load_stream(stream)[0].event.phone)}")
PROGRAM
"$folder/venv/bin/python" -W ignore "$folder/program.py" | tee "$folder/output"
diff - "$folder/output" <<'EXPECTED'
030 1234: append: stored; read: 030 1234
0301234: append: stored; read: 0301234
301234: append: ValidationError, Input should be a valid string [type=string_type, input_value=301234, input_type=int]; read: ValidationError, Input should be a valid string [type=string_type, input_value=301234, input_type=int]
"Tom": append: stored; read: Tom
null: append: ValidationError, Input should be a valid string [type=string_type, input_value=None, input_type=NoneType]; read: ValidationError, Input should be a valid string [type=string_type, input_value=None, input_type=NoneType]
EXPECTED
