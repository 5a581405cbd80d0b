# The transfers of Xdojo, which clang's assembler does not know, as the disassembler spells them (docs/isa.md).
.macro dj.put semaphore, destination, source, bytes
  .insn r4 0x0b, 0, 0, \semaphore, \destination, \source, \bytes
.endm
.macro dj.get semaphore, destination, source, bytes
  .insn r4 0x0b, 0, 1, \semaphore, \destination, \source, \bytes
.endm
.macro dj.signal semaphore, amount
  .insn r 0x0b, 1, 0, x0, \semaphore, \amount
.endm
.macro dj.wait semaphore, amount
  .insn r 0x0b, 1, 1, x0, \semaphore, \amount
.endm
.macro dj.quiet
  .insn r 0x0b, 1, 2, x0, x0, x0
.endm

# Where `local` is on the node whose number is in `node`.
.macro global register, node, local
  la \register, \local
  slli t6, \node, 40
  or \register, \register, t6
.endm
