# What every test program has beside RISC-V: macros that write what it found, a line each, and leave all registers but
# vstart as they are. None is for sp itself.

# show a0                    a register: 16 hexadecimal digits
# show_double fa0            likewise; show_single: the lower 8 digits
# show_elements v8, e16, 5   the first 5 elements of one vector register, in digits
# say "words"
.macro begin_showing
  addi sp, sp, -128
  sd a0, 64(sp)
  sd a1, 72(sp)
  sd a2, 80(sp)
  sd ra, 88(sp)
.endm
.macro end_showing bytes, count
  mv a0, sp
  li a1, \bytes
  li a2, \count
  call show_line
  ld a0, 64(sp)
  ld a1, 72(sp)
  ld a2, 80(sp)
  ld ra, 88(sp)
  addi sp, sp, 128
.endm
.macro show register
  begin_showing
  sd \register, 0(sp)
  end_showing 8, 1
.endm
.macro show_double register
  begin_showing
  fsd \register, 0(sp)
  end_showing 8, 1
.endm
.macro show_single register
  begin_showing
  fsw \register, 0(sp)
  end_showing 4, 1
.endm
.macro show_elements vector, width, count
  begin_showing
  vs1r.v \vector, (sp)
  .ifc \width, e8
  end_showing 1, \count
  .endif
  .ifc \width, e16
  end_showing 2, \count
  .endif
  .ifc \width, e32
  end_showing 4, \count
  .endif
  .ifc \width, e64
  end_showing 8, \count
  .endif
.endm
.macro say words
  .pushsection .rodata
say_\@:
  .ascii "\words\n"
said_\@:
  .popsection
  begin_showing
  la a0, say_\@
  li a1, said_\@ - say_\@
  call write_text
  ld a0, 64(sp)
  ld a1, 72(sp)
  ld ra, 88(sp)
  addi sp, sp, 128
.endm

# Writes the lower digit of `register` at t0, and goes on one place.
.macro put_digit register
  andi t3, \register, 15
  addi t3, t3, '0'
  li t4, '9'
  bleu t3, t4, 9f
  addi t3, t3, 'a' - '9' - 1
9:
  sb t3, 0(t0)
  addi t0, t0, 1
.endm

  .text
# a2 numbers of a1 bytes each from address a0 on: a line, with a blank between two.
show_line:
  addi sp, sp, -256
  sd t0, 200(sp)
  sd t1, 208(sp)
  sd t2, 216(sp)
  sd t3, 224(sp)
  sd t4, 232(sp)
  sd ra, 240(sp)
  mv t0, sp
1:add t1, a0, a1
2:addi t1, t1, -1
  lbu t2, 0(t1)
  srli t2, t2, 4
  put_digit t2
  lbu t2, 0(t1)
  put_digit t2
  bne t1, a0, 2b
  add a0, a0, a1
  addi a2, a2, -1
  li t2, ' '
  bnez a2, 3f
  li t2, '\n'
3:sb t2, 0(t0)
  addi t0, t0, 1
  bnez a2, 1b
  mv a0, sp
  sub a1, t0, sp
  call write_text
  ld t0, 200(sp)
  ld t1, 208(sp)
  ld t2, 216(sp)
  ld t3, 224(sp)
  ld t4, 232(sp)
  ld ra, 240(sp)
  addi sp, sp, 256
  ret
