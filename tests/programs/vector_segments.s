# Do segment loads take structures apart, and segment stores put them together again?
  .globl main
main:
  la t0, pixels
  la t1, place
  vsetivli zero, 5, e8, m1, tu, mu
  vlseg3e8.v v1, (t0)
  show_elements v1, e8, 5       #> 01 11 21 31 41
  show_elements v2, e8, 5       #> 02 12 22 32 42
  show_elements v3, e8, 5       #> 03 13 23 33 43
  vmv.v.v v4, v1                # blue, green, red
  vmv.v.v v1, v3
  vmv.v.v v3, v4
  vsseg3e8.v v1, (t1)
  vsetivli zero, 16, e8, m1, tu, mu
  vle8.v v5, (t1)
  show_elements v5, e8, 16      #> 03 02 01 13 12 11 23 22 21 33 32 31 43 42 41 00
  vsetivli zero, 3, e16, m1, tu, mu
  li t2, 6
  vlsseg2e16.v v6, (t0), t2     # the first two of three
  show_elements v6, e16, 3      #> 0201 2221 4241
  show_elements v7, e16, 3      #> 1103 3123 5143
  vmv.v.i v0, 5                 # elements 0 and 2
  vmv.v.i v8, 0
  vmv.v.i v9, 0
  vlseg2e16.v v8, (t0), v0.t
  show_elements v8, e16, 3      #> 0201 0000 3123
  show_elements v9, e16, 3      #> 1103 0000 3332
  li a0, 0
  ret

  .data
pixels:
  .byte 1, 2, 3, 17, 18, 19, 33, 34, 35, 49, 50, 51, 65, 66, 67, 81, 82, 83
place:
  .zero 16
