// Integer work of four kinds, each about a quarter of the time: a linked list that is searched, reversed and
// sorted, products of small integer matrices, a state machine over text, and a CRC over all results.
// Everything depends on the CRC before it, so nothing can be computed in advance.
#include <stddef.h>
#include <stdint.h>

namespace {

uint16_t crc16(uint16_t crc, uint32_t value) {
  for (unsigned bit = 0; bit < 32; ++bit, value >>= 1) {
    const bool carry = ((value ^ crc) & 1) != 0;
    crc >>= 1;
    if (carry) crc ^= 0xa001;
  }
  return crc;
}

// --- List

struct Item {
  Item* next;
  int16_t key, value;
};
constexpr unsigned items = 48;
Item pool[items];

Item* reversed(Item* list) {
  Item* done = nullptr;
  while (list) {
    Item* const rest = list->next;
    list->next = done;
    done = list;
    list = rest;
  }
  return done;
}

Item* merged(Item* a, Item* b) {
  Item* head = nullptr;
  Item** end = &head;
  while (a && b) {
    Item*& smaller = a->key <= b->key ? a : b;
    *end = smaller;
    end = &smaller->next;
    smaller = smaller->next;
  }
  *end = a ? a : b;
  return head;
}

Item* sorted(Item* list) {
  if (!list || !list->next) return list;
  Item *middle = list, *end = list->next;
  while (end && end->next) {
    middle = middle->next;
    end = end->next->next;
  }
  Item* const upper = middle->next;
  middle->next = nullptr;
  return merged(sorted(list), sorted(upper));
}

uint16_t list_work(uint16_t crc) {
  for (unsigned i = 0; i < items; ++i)
    pool[i] = {i + 1 < items ? &pool[i + 1] : nullptr, static_cast<int16_t>((crc * (i + 3)) & 0x7ff),
               static_cast<int16_t>(i)};
  Item* list = pool;
  for (int wanted = 0; wanted < 16; ++wanted) {
    Item* found = list;
    while (found && (found->value & 15) != wanted) found = found->next;
    if (found) crc = static_cast<uint16_t>(crc + found->key);
    list = reversed(list);
  }
  list = sorted(list);
  for (; list; list = list->next) crc = static_cast<uint16_t>(crc * 3 + list->value);
  return crc;
}

// --- Matrix

constexpr unsigned edge = 10;
int16_t left[edge][edge], right[edge][edge];
int32_t product[edge][edge];

uint16_t matrix_work(uint16_t crc) {
  for (unsigned i = 0; i < edge; ++i)
    for (unsigned j = 0; j < edge; ++j) {
      left[i][j] = static_cast<int16_t>(crc + i * j);
      right[i][j] = static_cast<int16_t>(crc ^ (i + j));
    }
#pragma clang loop vectorize(disable)
  for (unsigned i = 0; i < edge; ++i)
#pragma clang loop vectorize(disable)
    for (unsigned j = 0; j < edge; ++j) {
      int32_t sum = 0;
#pragma clang loop vectorize(disable) unroll(disable)
      for (unsigned k = 0; k < edge; ++k) sum += left[i][k] * right[k][j];
      product[i][j] = sum;
    }
  int32_t sum = 0;
#pragma clang loop vectorize(disable)
  for (unsigned i = 0; i < edge; ++i) sum += product[i][i] >> 3;
  return crc16(crc, static_cast<uint32_t>(sum));
}

// --- State machine: what kind of number each word of a text is

enum State { start, sign, integer, point, fraction, exponent, invalid, states };
const char text[] = "12 -7 3.25 +0.5 1e9 x12 .5 7. -3.5e2 99999 4.4.4 --1 8e 0 ";

State next(State state, char c) {
  const bool digit = c >= '0' && c <= '9';
  switch (state) {
    case start:
      return digit ? integer : c == '+' || c == '-' ? sign : c == '.' ? point : invalid;
    case sign:
      return digit ? integer : c == '.' ? point : invalid;
    case integer:
      return digit ? integer : c == '.' ? fraction : c == 'e' ? exponent : invalid;
    case point:
    case fraction:
      return digit ? fraction : c == 'e' ? exponent : invalid;
    case exponent:
      return digit ? exponent : invalid;
    default:
      return invalid;
  }
}

uint16_t state_work(uint16_t crc) {
  uint32_t ends[states] = {};
  for (unsigned round = 0; round < 4; ++round) {
    State state = start;
    for (size_t i = 0; i + 1 < sizeof text; ++i) {
      const char c = static_cast<char>(text[i] ^ (((crc >> round) & 63) == i));
      if (c == ' ') {
        ++ends[state];
        state = start;
      } else {
        state = next(state, c);
      }
    }
  }
  for (const uint32_t count : ends) crc = crc16(crc, count);
  return crc;
}

}  // namespace

unsigned kernel() {
  static uint16_t crc = 0x1234;
  crc = list_work(crc);
  crc = matrix_work(crc);
  crc = state_work(crc);
  return crc;
}
