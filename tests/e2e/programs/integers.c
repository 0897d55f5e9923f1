/* SPDX-License-Identifier: MIT */
/* Sorting, CRC, primes, 64-bit arithmetic: loops, loads, branches, library division. */
#include "print.h"

static uint32_t seed = 1;
static uint32_t next(void) { return seed = seed * 1664525u + 1013904223u; }

static uint32_t words[300];
static uint8_t sieve[2000];

static void sort(uint32_t* first, int count) {
  if (count < 2) return;
  uint32_t pivot = first[count / 2];
  int i = 0, k = count - 1;
  while (i <= k) {
    while (first[i] < pivot) ++i;
    while (first[k] > pivot) --k;
    if (i > k) break;
    uint32_t swap = first[i];
    first[i++] = first[k];
    first[k--] = swap;
  }
  sort(first, k + 1);
  sort(first + i, count - i);
}

static uint32_t crc32(const uint8_t* bytes, int count) {
  uint32_t crc = ~0u;
  for (int i = 0; i < count; ++i) {
    crc ^= bytes[i];
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
  }
  return ~crc;
}

int main(void) {
  for (int i = 0; i < 300; ++i) words[i] = next();
  sort(words, 300);
  for (int i = 1; i < 300; ++i)
    if (words[i - 1] > words[i]) return 1;
  print_word(crc32((const uint8_t*)words, sizeof words));

  int primes = 0;
  for (int i = 2; i < 2000; ++i) {
    if (sieve[i]) continue;
    ++primes;
    for (int k = 2 * i; k < 2000; k += i) sieve[k] = 1;
  }
  print_word((uint32_t)primes);

  uint64_t sum = 0;
  for (uint32_t i = 1; i < 200; ++i) {
    uint64_t wide = (uint64_t)next() << 20 | next();
    int64_t narrow = (int64_t)wide / (int32_t)(next() | 1);
    sum += wide / i + wide % (i + 7) + (uint64_t)(narrow >> (i & 31)) + ((uint64_t)i << (i & 63));
    sum ^= (uint64_t)((int32_t)next() / (int32_t)(i + 1)) * (next() % i);
  }
  print_word((uint32_t)sum);
  print_word((uint32_t)(sum >> 32));
  return 0;
}
