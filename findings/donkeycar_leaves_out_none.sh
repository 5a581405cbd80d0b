#!/usr/bin/env bash
# A Donkeycar tub declares keys in its manifest that its records do not have.
#
# donkeycar 5.3.0, parts.tub_v2.Tub.
# A good guess: a declared input whose value is None stands in the record as null, so every record has every key.
# Seen: the key is left out of that record alone. An IMU that is slow to start, or an angle while the pilot drives, gives
# records of different keys in one catalog.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q numpy==1.26.4 pillow==11.0.0 pyfiglet==1.0.2 prettytable==3.12.0
"$folder/venv/bin/pip" install -q --no-deps donkeycar==5.3.0
cd "$folder"
cat > write.py <<'END'
import json
import pathlib

from donkeycar.parts.tub_v2 import Tub

tub = Tub("tub", inputs=["user/angle", "imu/acl_x"], types=["float", "float"])
tub.write_record({"user/angle": 0.5, "imu/acl_x": None})
tub.write_record({"user/angle": 0.25, "imu/acl_x": 1.0})
tub.close()
declared = json.loads(pathlib.Path("tub/manifest.json").read_text().splitlines()[0])
records = [json.loads(line) for line in pathlib.Path("tub/catalog_0.catalog").read_text().splitlines()]
has = [[key for key in declared if key in record] for record in records]
print("declared:", declared, "in each record:", has)
assert declared == ["user/angle", "imu/acl_x"], declared
assert has == [["user/angle"], ["user/angle", "imu/acl_x"]], has
END
venv/bin/python write.py
