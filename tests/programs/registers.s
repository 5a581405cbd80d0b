# What do the registers that every program may read hold, and do they keep what is written?
  .globl main
main:
  csrr a0, vlenb
  show a0                       #> 0000000000000040
  csrwi fcsr, 0
  csrwi frm, 3
  csrwi fflags, 17
  csrr a0, fcsr
  show a0                       #> 0000000000000071
  csrrci a0, fflags, 16         # answers what was there
  show a0                       #> 0000000000000011
  li t0, 0xffff
  csrw fcsr, t0                 # eight bits are there
  csrr a0, fcsr
  show a0                       #> 00000000000000ff
  csrwi fcsr, 0
  csrwi vcsr, 7
  csrr a0, vxrm
  show a0                       #> 0000000000000003
  csrr a0, vxsat
  show a0                       #> 0000000000000001
  csrwi vcsr, 0
  vsetivli zero, 7, e16, m2, ta, mu
  csrr a0, vl
  show a0                       #> 0000000000000007
  csrr a0, vtype
  show a0                       #> 0000000000000049
  vsetivli zero, 7, e16, m2, tu, ma
  csrr a0, vtype
  show a0                       #> 0000000000000089
  rdinstret t0
  rdinstret t1
  sltu a0, t0, t1               # it counts
  show a0                       #> 0000000000000001
  li a0, 0
  ret
