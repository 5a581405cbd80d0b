.globl _start, tohost
_start: li a7, 64
 li a0, 1
 la a1, tohost
 li a2, 8
 ecall
 vsetvli t0, a0, e32, m4, ta, ma
 vadd.vv v4, v8, v12, v0.t
 vse32.v v4, (sp)
loop: addi a2, a2, -1
 amoadd.w t1, a2, (a1)
 bnez a2, loop
 li a7, 93
 ecall
.data
tohost: .dword 0
