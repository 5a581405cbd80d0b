// Does the C library of a node print, read, sort and allocate as the one of this computer?
// oracle: here
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_value(const void* left, const void* right) {
  const double difference = *(const double*)left - *(const double*)right;
  return (difference > 0) - (difference < 0);
}

int main(void) {
  printf("%.15g %a %10.3e|%-8d|%+05d\n", 0.1, 0.75, 12345.678, -7, 42);
  //> 0.1 0x1.8p-1  1.235e+04|-7      |+0042
  printf("%g %g %g\n", INFINITY, -0.0, 1e-300);  //> inf -0 1e-300
  printf("%.3s %lx %%\n", "abcdef", -1L);        //> abc ffffffffffffffff %

  double numbers[4];
  char* at = "3.5 -1e-3 0x1p4 2";
  for (int i = 0; i < 4; ++i) numbers[i] = strtod(at, &at);
  qsort(numbers, 4, sizeof numbers[0], by_value);
  for (int i = 0; i < 4; ++i) printf("%g%c", numbers[i], " \n"[i == 3]);  //> -0.001 2 3.5 16

  char* text = malloc(6);
  memcpy(text, "hello", 6);
  text = realloc(text, 2000);
  memset(text + 5, '!', 3);
  text[8] = 0;
  puts(text);  //> hello!!!
  free(text);

  int number;
  char word[8];
  printf("%d", sscanf(" 12 apples", "%d %7s", &number, word));
  printf(" %d %s\n", number, word);  //> 2 12 apples
  printf("%.15g %.15g\n", sqrt(2), pow(2, 0.5));  //> 1.4142135623731 1.4142135623731
}
