// SPDX-License-Identifier: MIT
// The table itself, and the search. rows.def is sorted by key (checked here at
// compile time), so a row is found by halving. Contains no row.
#include "kernels/kernel_table.h"

#include "kernels/row.h"

#if defined(__arm__)
#define MCUSIM_ROW_LINKAGE __attribute__((weak))
#define MCUSIM_ROW_NAME(name)
#else
#define MCUSIM_ROW_LINKAGE
#define MCUSIM_ROW_NAME(name) , #name
#endif

#define MCUSIM_ROW(family, in, weight, out, contract)                                  \
  extern "C" MCUSIM_ROW_LINKAGE void mcusim_##family##_a##in##w##weight##y##out##_##contract( \
      const mcusim::KernelCall&);
#include "kernels/rows.def"
#undef MCUSIM_ROW

namespace mcusim {
namespace {

#define MCUSIM_ROW(family, in, weight, out, contract) \
  packed_key({net::Family::family, in, weight, out, contracts::contract}),
constexpr uint32_t kKeys[] = {
#include "kernels/rows.def"
};
#undef MCUSIM_ROW

constexpr bool sorted() {
  for (uint32_t i = 1; i < sizeof(kKeys) / sizeof(kKeys[0]); ++i)
    if (kKeys[i - 1] >= kKeys[i]) return false;
  return true;
}
static_assert(sorted(), "rows.def must be sorted: family, in, weight, out bits, contract");

#define MCUSIM_ROW(family, in, weight, out, contract)                     \
  {packed_key({net::Family::family, in, weight, out, contracts::contract}), \
   mcusim_##family##_a##in##w##weight##y##out##_##contract                \
       MCUSIM_ROW_NAME(mcusim_##family##_a##in##w##weight##y##out##_##contract)},
const Row kRows[] = {
#include "kernels/rows.def"
};
#undef MCUSIM_ROW

constexpr uint32_t kCount = sizeof(kRows) / sizeof(kRows[0]);

}  // namespace

uint32_t row_count() { return kCount; }
const Row& row_at(uint32_t index) { return kRows[index]; }

const Row* find_row(const RowKey& key) {
  const uint32_t wanted = packed_key(key);
  uint32_t first = 0, last = kCount;
  while (first < last) {
    const uint32_t middle = (first + last) / 2;
    if (kRows[middle].packed_key < wanted)
      first = middle + 1;
    else
      last = middle;
  }
  return first < kCount && kRows[first].packed_key == wanted ? &kRows[first] : nullptr;
}

}  // namespace mcusim
