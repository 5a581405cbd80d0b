# Do loads extend as they are asked to, stores leave their neighbours alone, and misaligned accesses work?
  .globl main
main:
  la t0, words
  lb a0, 7(t0)
  show a0                       #> ffffffffffffff88
  lbu a0, 7(t0)
  show a0                       #> 0000000000000088
  lh a0, 6(t0)
  show a0                       #> ffffffffffff8877
  lhu a0, 6(t0)
  show a0                       #> 0000000000008877
  lw a0, 4(t0)
  show a0                       #> ffffffff88776655
  lwu a0, 4(t0)
  show a0                       #> 0000000088776655
  ld a0, 1(t0)                  # misaligned
  show a0                       #> 8088776655443322
  ld a0, 61(t0)                 # over the end of 64 bytes
  show a0                       #> 1415161718010203
  li t1, -1
  sb t1, 2(t0)
  sh t1, 4(t0)
  ld a0, 0(t0)
  show a0                       #> 8877ffff44ff2211
  sw t1, 62(t0)                 # misaligned, over the end of 64 bytes
  ld a0, 56(t0)
  show a0                       #> ffff030405060708
  ld a0, 64(t0)
  show a0                       #> 111213141516ffff
  fld fa0, 61(t0)
  show_double fa0               #> 141516ffffffff03
  li a0, 0
  ret

  .data
  .balign 64
words:
  .dword 0x8877665544332211, 0x1020304050607080, 0, 0, 0, 0, 0
  .dword 0x0102030405060708, 0x1112131415161718, 0
