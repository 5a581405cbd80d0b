# What do system calls answer that ask for what there is not?
# exit: 7
  .globl main
main:
  li a7, 57                     # close of a descriptor that is not open: -EBADF
  li a0, 99
  ecall
  show a0                       #> fffffffffffffff7
  li a7, 64                     # write from address 0: -EFAULT
  li a0, 1
  li a1, 0
  li a2, 5
  ecall
  show a0                       #> fffffffffffffff2
  li a7, 64                     # of nothing
  li a0, 1
  la a1, path
  li a2, 0
  ecall
  show a0                       #> 0000000000000000
  li a7, 56                     # openat of a file that is not there: -ENOENT
  li a0, -100
  la a1, path
  li a2, 0
  ecall
  show a0                       #> fffffffffffffffe
  li a7, 62                     # lseek of a pipe: -ESPIPE
  li a0, 1
  li a1, 0
  li a2, 1
  ecall
  show a0                       #> ffffffffffffffe3
  li a7, 5000                   # no such call: -ENOSYS
  ecall
  show a0                       #> ffffffffffffffda
  li a7, 94                     # exit_group
  li a0, 7
  ecall

  .section .rodata
path:
  .asciz "/nowhere/at/all"
