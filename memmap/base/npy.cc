// SPDX-License-Identifier: MIT
// Reading and writing NumPy arrays after numpy/lib/format.py (format 1.0 to 3.0):
// magic, version, header length, a Python dict literal, then the elements. The
// declared size is compared with the bytes present before anything is allocated.
#include "memmap/base/npy.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "memmap/base/bytes.h"
#include "memmap/base/dataset.h"
#include "memmap/base/file.h"
#include "memmap/base/npz.h"

namespace mcusim {
namespace {

constexpr uint8_t kMagic[6] = {0x93, 'N', 'U', 'M', 'P', 'Y'};
constexpr size_t kMaxDimensions = 32;      // numpy's own limit before 2.0
constexpr uint64_t kMaxHeader_bytes = 65536;
constexpr uint64_t kToEnd = std::numeric_limits<uint64_t>::max();

template <typename T>
T element(const uint8_t* at) {
  T value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

// One row per element type that is understood.
struct Dtype {
  const char* name;
  uint32_t bytes;
  bool is_float;
  double (*as_double)(const uint8_t*);
  int64_t (*as_integer)(const uint8_t*);
};

template <typename T>
constexpr Dtype dtype(const char* name) {
  return {name, sizeof(T), std::is_floating_point_v<T>,
          [](const uint8_t* at) { return static_cast<double>(element<T>(at)); },
          [](const uint8_t* at) -> int64_t {
            if constexpr (std::is_floating_point_v<T>) return 0;
            else return element<T>(at);
          }};
}

const Dtype kDtypes[] = {dtype<int8_t>("|i1"),  dtype<uint8_t>("|u1"),  dtype<int16_t>("<i2"),
                         dtype<uint16_t>("<u2"), dtype<int32_t>("<i4"), dtype<int64_t>("<i8"),
                         dtype<float>("<f4"),    dtype<double>("<f8")};

const Dtype& find_dtype(const std::string& name, const std::string& place) {
  for (const auto& row : kDtypes)
    if (name == row.name) return row;
  throw Error("{}: element type '{}' is not supported (int8, uint8, int16, uint16, int32, int64, "
              "float32 and float64, little-endian)", place, name);
}

// The dict literal of the header, exactly the part of Python that numpy writes.
class HeaderParser {
 public:
  HeaderParser(std::string text, std::string place)
      : text_(std::move(text)), place_(std::move(place)) {}

  NpyArray parse() {
    NpyArray array;
    bool fortran = false;
    bool seen[3] = {};
    expect('{');
    while (!accept('}')) {
      const std::string key = quoted();
      expect(':');
      const int which = key == "descr" ? 0 : key == "fortran_order" ? 1 : key == "shape" ? 2 : -1;
      if (which < 0 || seen[which]) fail("unexpected or repeated key '" + key + "'");
      seen[which] = true;
      if (which == 0) array.dtype = descr();
      if (which == 1) fortran = boolean();
      if (which == 2) array.shape = tuple();
      if (!accept(',') && peek() != '}') fail("expected ',' or '}'");
    }
    skip();
    if (at_ != text_.size()) fail("text after the dictionary");
    if (!seen[0] || !seen[1] || !seen[2]) fail("descr, fortran_order or shape is missing");
    if (fortran && array.shape.size() > 1)
      throw Error("{}: Fortran order is not supported, save a C-contiguous array", place_);
    return array;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw Error("{}: malformed .npy header: {} at character {}", place_, what, at_);
  }
  void skip() {
    while (at_ < text_.size() && std::strchr(" \t\r\n", text_[at_]) && text_[at_]) ++at_;
  }
  char peek() {
    skip();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool accept(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail(std::string("expected '") + c + "'");
  }
  std::string quoted() {
    const char quote = peek();
    if (quote != '\'' && quote != '"') fail("expected a quoted string");
    const size_t end = text_.find(quote, at_ + 1);
    if (end == std::string::npos) fail("unterminated string");
    std::string value = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return value;
  }
  std::string descr() {
    if (peek() == '[') throw Error("{}: structured arrays are not supported", place_);
    std::string value = quoted();
    // The byte order of one-byte elements carries no meaning.
    if (value.size() == 3 && value[2] == '1' && std::strchr("<>=|", value[0])) value[0] = '|';
    return value;
  }
  bool boolean() {
    skip();
    for (const auto& [word, value] : {std::pair{"True", true}, std::pair{"False", false}})
      if (text_.compare(at_, std::strlen(word), word) == 0) {
        at_ += std::strlen(word);
        return value;
      }
    fail("expected True or False");
  }
  std::vector<uint64_t> tuple() {
    std::vector<uint64_t> shape;
    expect('(');
    while (!accept(')')) {
      if (shape.size() == kMaxDimensions) fail("more than 32 dimensions");
      shape.push_back(number());
      if (!accept(',') && peek() != ')') fail("expected ',' or ')'");
    }
    return shape;
  }
  uint64_t number() {
    if (peek() < '0' || peek() > '9') fail("expected a dimension");
    uint64_t value = 0;
    for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_)
      if (__builtin_mul_overflow(value, uint64_t{10}, &value) ||
          __builtin_add_overflow(value, static_cast<uint64_t>(text_[at_] - '0'), &value))
        fail("dimension too large");
    if (at_ < text_.size() && text_[at_] == 'L') ++at_;  // numpy under Python 2
    return value;
  }

  std::string text_, place_;
  size_t at_ = 0;
};

struct Header {
  NpyArray array;  // without its bytes
  uint64_t data_offset = 0, data_bytes = 0;
};

Header parse_header(std::span<const uint8_t> bytes, const std::string& place) {
  const ByteReader reader(bytes, place);
  if (bytes.size() < 10 || !std::equal(std::begin(kMagic), std::end(kMagic), bytes.begin()))
    throw Error("{}: not a .npy array", place);
  const uint8_t version = bytes[6];
  if (version < 1 || version > 3 || bytes[7] != 0)
    throw Error("{}: .npy format {}.{} is not supported (1.0 to 3.0)", place, version, bytes[7]);
  const uint64_t start = version == 1 ? 10 : 12;
  const uint64_t length = version == 1 ? reader.at<uint16_t>(8) : reader.at<uint32_t>(8);
  if (length > kMaxHeader_bytes) throw Error("{}: .npy header of {} bytes", place, length);
  const auto text = reader.range(start, length);
  Header header;
  header.array = HeaderParser({text.begin(), text.end()}, place).parse();
  header.data_offset = start + length;
  header.data_bytes = find_dtype(header.array.dtype, place).bytes;
  for (const uint64_t n : header.array.shape)
    if (__builtin_mul_overflow(header.data_bytes, n, &header.data_bytes) ||
        header.data_bytes > (uint64_t{1} << 62))
      throw Error("{}: array too large", place);
  return header;
}

void check_size(const Header& header, uint64_t file_bytes, const std::string& place) {
  const uint64_t present = file_bytes - header.data_offset;
  if (present != header.data_bytes)
    throw Error("{}: {} data bytes, but its shape and type ask for {}", place, present,
                header.data_bytes);
}

NpyArray load_member(std::span<const uint8_t> file, const ArraySelector& selector) {
  const auto members = zip_members(file, selector.path);
  const ZipMember* found = nullptr;
  std::string names;
  for (const auto& member : members) {
    const bool npy = member.name.ends_with(".npy");
    const std::string name = npy ? member.name.substr(0, member.name.size() - 4) : member.name;
    names += (names.empty() ? "" : ", ") + name;
    if (selector.array.empty() ? members.size() != 1 : name != selector.array) continue;
    if (found) throw Error("{}: two arrays are named {}", selector.path, name);
    found = &member;
  }
  if (!found && selector.array.empty())
    throw Error("{}: holds {} arrays ({}); name one, as in {}:NAME", selector.path, members.size(),
                names, selector.path);
  if (!found)
    throw Error("{}: no array named {} (it holds: {})", selector.path, selector.array, names);
  const std::string place = selector.path + ":" + found->name;
  // The header first: its shape, not the archive, says how much may be allocated.
  check_size(parse_header(zip_read(file, *found, kMaxHeader_bytes + 12, selector.path), place),
             found->bytes, place);
  return parse_npy(zip_read(file, *found, found->bytes, selector.path), place);
}

uint64_t parse_bound(const std::string& text, uint64_t if_empty, const std::string& whole) {
  if (text.empty()) return if_empty;
  uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9' || value > kToEnd / 100)
      throw UsageError("{}: '{}' is not an index; a range is [first:last]", whole, text);
    value = value * 10 + static_cast<uint64_t>(c - '0');
  }
  return value;
}

}  // namespace

uint64_t NpyArray::elements() const {
  uint64_t product = 1;
  for (const uint64_t n : shape) product *= n;
  return product;
}

uint32_t NpyArray::item_bytes() const { return find_dtype(dtype, "array").bytes; }

std::vector<double> NpyArray::as_doubles() const {
  const Dtype& row = find_dtype(dtype, "array");
  std::vector<double> values(elements());
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = row.as_double(bytes.data() + i * row.bytes);
  return values;
}

std::vector<int64_t> NpyArray::as_integers() const {
  const Dtype& row = find_dtype(dtype, "array");
  if (row.is_float) throw Error("array of {}: integers are needed here", dtype);
  std::vector<int64_t> values(elements());
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = row.as_integer(bytes.data() + i * row.bytes);
  return values;
}

NpyArray parse_npy(std::span<const uint8_t> bytes, const std::string& name) {
  Header header = parse_header(bytes, name);
  check_size(header, bytes.size(), name);
  const auto data = bytes.subspan(header.data_offset);
  header.array.bytes.assign(data.begin(), data.end());
  return std::move(header.array);
}

std::vector<uint8_t> format_npy(const NpyArray& array) {
  check(array.bytes.size() == array.elements() * array.item_bytes(), "array bytes fit its shape");
  std::string shape;
  for (const uint64_t n : array.shape) shape += fmt::format("{}, ", n);
  if (array.shape.size() > 1) shape.resize(shape.size() - 2);
  if (array.shape.size() == 1) shape.resize(shape.size() - 1);
  std::string text = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}",
                                 array.dtype, shape);
  // The elements start on a 64-byte boundary and the header ends with a newline.
  text.append(63 - (10 + text.size()) % 64, ' ');
  text += '\n';
  std::vector<uint8_t> bytes;
  bytes.reserve(10 + text.size() + array.bytes.size());
  bytes.assign(std::begin(kMagic), std::end(kMagic));
  for (const size_t byte : {size_t{1}, size_t{0}, text.size() & 0xFF, text.size() >> 8})
    bytes.push_back(static_cast<uint8_t>(byte));
  bytes.insert(bytes.end(), text.begin(), text.end());
  bytes.insert(bytes.end(), array.bytes.begin(), array.bytes.end());
  return bytes;
}

ArraySelector parse_selector(const std::string& text) {
  ArraySelector selector;
  selector.path = text;
  const size_t open = text.rfind('[');
  if (text.ends_with(']') && open != std::string::npos) {
    const std::string inside = text.substr(open + 1, text.size() - open - 2);
    const size_t colon = inside.find(':');
    if (colon == std::string::npos)
      throw UsageError("{}: '{}' is not a range; write [first:last], last exclusive", text, inside);
    selector.has_range = true;
    selector.first = parse_bound(inside.substr(0, colon), 0, text);
    selector.last = parse_bound(inside.substr(colon + 1), kToEnd, text);
    if (selector.first >= selector.last) throw UsageError("{}: the range is empty", text);
    selector.path.resize(open);
  }
  const size_t colon = selector.path.rfind(':');
  if (colon != std::string::npos && (selector.path.substr(0, colon).ends_with(".npz") ||
                                     selector.path.substr(0, colon).ends_with(".npy"))) {
    selector.array = selector.path.substr(colon + 1);
    selector.path.resize(colon);
    if (selector.array.empty()) throw UsageError("{}: no array name after ':'", text);
  }
  if (selector.path.empty()) throw UsageError("'{}': no file name", text);
  return selector;
}

NpyArray load_array(const ArraySelector& selector) {
  const auto file = read_file(selector.path);
  const bool zip = file.size() >= 4 && file[0] == 'P' && file[1] == 'K';
  const bool cifar = !zip && is_cifar_array(selector.array);
  if (!zip && !cifar && !selector.array.empty())
    throw Error("{}: a .npy file has no arrays by name ({} asked for)", selector.path,
                selector.array);
  NpyArray array = zip            ? load_member(file, selector)
                   : cifar        ? parse_cifar(file, selector.array, selector.path)
                   : is_idx(file) ? parse_idx(file, selector.path)
                                  : parse_npy(file, selector.path);
  if (!selector.has_range) return array;
  const uint64_t rows = array.shape.empty() ? 0 : array.shape[0];
  const uint64_t last = selector.last == kToEnd ? rows : selector.last;
  if (selector.first >= last || last > rows)
    throw Error("{}: range [{}:{}] of an array with {} rows", selector.path, selector.first, last,
                rows);
  const uint64_t row_bytes = array.bytes.size() / rows;
  const auto begin = array.bytes.begin();
  array.bytes = {begin + static_cast<int64_t>(selector.first * row_bytes),
                 begin + static_cast<int64_t>(last * row_bytes)};
  array.shape[0] = last - selector.first;
  return array;
}

}  // namespace mcusim
