# What do Zba, Zbb, Zbs and Zbc make of numbers with few bits, many bits and none?
  .globl main
main:
  .option arch, +zbc
  li t0, 0x00f0000000000010
  li t1, -1
  clz a0, t0
  show a0                       #> 0000000000000008
  ctz a0, t0
  show a0                       #> 0000000000000004
  cpop a0, t0
  show a0                       #> 0000000000000005
  clz a0, zero
  show a0                       #> 0000000000000040
  clzw a0, t1
  show a0                       #> 0000000000000000
  rev8 a0, t0
  show a0                       #> 100000000000f000
  orc.b a0, t0
  show a0                       #> 00ff0000000000ff
  ror a0, t0, t1                # by 63
  show a0                       #> 01e0000000000020
  rolw a0, t0, t1               # by 31, of 32 bits
  show a0                       #> 0000000000000008
  andn a0, t1, t0
  show a0                       #> ff0fffffffffffef
  max a0, t0, t1
  show a0                       #> 00f0000000000010
  maxu a0, t0, t1
  show a0                       #> ffffffffffffffff
  sext.b a0, t1
  show a0                       #> ffffffffffffffff
  zext.h a0, t1
  show a0                       #> 000000000000ffff
  sh3add a0, t1, t0
  show a0                       #> 00f0000000000008
  add.uw a0, t1, t0
  show a0                       #> 00f000010000000f
  bset a0, zero, t1             # bit 63
  show a0                       #> 8000000000000000
  bext a0, t0, t1
  show a0                       #> 0000000000000000
  clmul a0, t1, t1
  show a0                       #> 5555555555555555
  clmulh a0, t1, t1
  show a0                       #> 5555555555555555
  li a0, 0
  ret
