/* SPDX-License-Identifier: MIT */
/* Single and double precision: multiply-accumulate, divide, square root, conversions. */
#include "print.h"

static float a[12][12], b[12][12], c[12][12];

static uint32_t bits_of(float value) {
  union { float f; uint32_t u; } u = {value};
  return u.u;
}

static double square_root(double x) {
  double guess = x > 1 ? x : 1;
  for (int i = 0; i < 30; ++i) guess = 0.5 * (guess + x / guess);
  return guess;
}

int main(void) {
  for (int i = 0; i < 12; ++i)
    for (int k = 0; k < 12; ++k) {
      a[i][k] = (float)(i * 7 + k) / 3.0f;
      b[i][k] = (float)(k - i) * 0.25f;
    }
  for (int i = 0; i < 12; ++i)
    for (int k = 0; k < 12; ++k) {
      float sum = 0;
      for (int m = 0; m < 12; ++m) sum += a[i][m] * b[m][k];
      c[i][k] = sum;
    }
  uint32_t mix = 0;
  for (int i = 0; i < 12; ++i)
    for (int k = 0; k < 12; ++k) mix = (mix << 1 | mix >> 31) ^ bits_of(c[i][k]);
  print_word(mix);

  double total = 0;
  for (int i = 1; i < 60; ++i) {
    total += square_root(i) / (i + 0.5) - (double)(float)i * 1e-3;
    if (total > 20) total -= (int32_t)total;
    float root = __builtin_sqrtf((float)i);
    mix += (uint32_t)(int32_t)(root * 1000) + (uint32_t)(total * 1e6 > 0 ? total * 1e6 : 0);
  }
  print_word(mix);
  return 0;
}
