#!/usr/bin/env bash
# A store-conditional that stores, and says that it did not.
#
# qemu-user-static 1:7.2+dfsg-7+deb12u18+b3 (Debian 12), qemu-riscv64.
# A good guess: sc.w behind lr.d at the same address succeeds, as the reservation holds its bytes, or fails and leaves memory
# alone; the A extension allows both.
# Seen: the word is stored and rd is 1. (target/riscv/insn_trans/trans_rva.c.inc: the reserved value is kept as 64 bits; the exchange compares its lower half with memory,
# the result compares all of it with the 32 bits that memory held.) Who compares a machine with this one, random program for
# random program, gives each lr.d its own sc.d.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
cd "$folder"
apt-get download -q qemu-user-static=1:7.2+dfsg-7+deb12u18+b3
dpkg -x qemu-user-static_*.deb .
cat > write.py <<'END'
import struct

code = [
    0x00000497,  # auipc s1, 0
    0x04048493,  # addi  s1, s1, 64        the data below
    0x556672B7,  # lui   t0, 0x55667
    0x78828293,  # addi  t0, t0, 0x788
    0x1004B6AF,  # lr.d  a3, (s1)
    0x1854A52F,  # sc.w  a0, t0, (s1)
    0x0004A303,  # lw    t1, 0(s1)
    0x40530333,  # sub   t1, t1, t0
    0x00133313,  # seqz  t1, t1
    0x00131313,  # slli  t1, t1, 1
    0x00656533,  # or    a0, a0, t1        1: it says it failed; 2: the word is there
    0x05D00893,  # addi  a7, zero, 93
    0x00000073,  # ecall                   exit
]
text = struct.pack(f"<{len(code)}I", *code).ljust(64, b"\0") + struct.pack("<Q", 0x553874FD35300C94)
base, head = 0x10000, 64 + 56
elf = struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 2, 243, 1, base + head, 64, 0, 0, 64, 56, 1, 0, 0, 0)
elf += struct.pack("<IIQQQQQQ", 1, 7, 0, base, base, head + len(text), head + len(text), 0x1000)
open("program", "wb").write(elf + text)
END
python3 write.py
chmod 755 program
status=0
usr/bin/qemu-riscv64-static program || status=$?
echo "exit code $status: 1 where sc.w says that it failed, and 2 where the word is stored"
[ "$status" -eq 3 ]
