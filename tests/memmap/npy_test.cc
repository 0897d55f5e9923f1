// SPDX-License-Identifier: MIT
// .npy and .npz reading against files made by numpy (the data folder), headers
// written out by hand, and archives assembled here field by field; then damage:
// every truncation and thousands of byte changes must end in an array or an Error.
#include "memmap/base/npy.h"

#include <gmock/gmock.h>
#include <unistd.h>
#include <zlib.h>

#include <cstdlib>
#include <filesystem>
#include <random>

#include "memmap/base/error.h"
#include "memmap/base/file.h"

namespace mcusim {
namespace {

using Bytes = std::vector<uint8_t>;
using testing::ElementsAre;
using testing::HasSubstr;

void append(Bytes& out, uint64_t value, int count) {
  for (int i = 0; i < count; ++i) out.push_back(static_cast<uint8_t>(value >> (8 * i)));
}

Bytes npy(const std::string& dict, const Bytes& data, int version = 1) {
  Bytes out = {0x93, 'N', 'U', 'M', 'P', 'Y', static_cast<uint8_t>(version), 0};
  append(out, dict.size(), version == 1 ? 2 : 4);
  out.insert(out.end(), dict.begin(), dict.end());
  out.insert(out.end(), data.begin(), data.end());
  return out;
}

Bytes deflated(const Bytes& data) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
  Bytes out(deflateBound(&stream, data.size()));
  stream.next_in = const_cast<Bytef*>(data.data());
  stream.avail_in = static_cast<uInt>(data.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

struct Member {
  std::string name;
  Bytes data;
  bool deflate = true;
  int64_t declared_bytes = -1;
  uint16_t method = 0, flags = 0;
  uint32_t crc_change = 0;
};

Bytes zip(const std::vector<Member>& members) {
  Bytes out, directory;
  for (const auto& m : members) {
    const Bytes packed = m.deflate ? deflated(m.data) : m.data;
    const auto size = static_cast<uInt>(m.data.size());
    const auto crc = static_cast<uint32_t>(::crc32(0, m.data.data(), size));
    const auto fields = [&](Bytes& to) {
      append(to, m.flags, 2);
      append(to, m.method ? m.method : m.deflate ? 8 : 0, 2);
      append(to, 0, 4);
      append(to, crc ^ m.crc_change, 4);
      append(to, packed.size(), 4);
      append(to, m.declared_bytes < 0 ? m.data.size() : static_cast<uint64_t>(m.declared_bytes), 4);
      append(to, m.name.size(), 2);
      append(to, 0, 2);
    };
    const uint64_t local = out.size();
    append(out, 0x04034b50, 4);
    append(out, 20, 2);
    fields(out);
    out.insert(out.end(), m.name.begin(), m.name.end());
    out.insert(out.end(), packed.begin(), packed.end());
    append(directory, 0x02014b50, 4);
    append(directory, 20 | 20 << 16, 4);
    fields(directory);
    append(directory, 0, 8);
    append(directory, 0, 2);
    append(directory, local, 4);
    directory.insert(directory.end(), m.name.begin(), m.name.end());
  }
  const uint64_t start = out.size();
  out.insert(out.end(), directory.begin(), directory.end());
  append(out, 0x06054b50, 4);
  append(out, 0, 4);
  append(out, members.size() | members.size() << 16, 4);
  append(out, directory.size(), 4);
  append(out, start, 4);
  append(out, 0, 2);
  return out;
}

// A file that goes away with the test.
struct TemporaryFile {
  std::string path;
  TemporaryFile(const Bytes& bytes, const std::string& suffix) {
    static int count = 0;
    path = testing::TempDir() + fmt::format("mcusim_npy_{}_{}{}", ::getpid(), ++count, suffix);
    write_file(path, bytes);
  }
  ~TemporaryFile() { std::filesystem::remove(path); }
};

NpyArray load(const Bytes& bytes, const std::string& selector = "") {
  const TemporaryFile file(bytes, selector.starts_with(":") ? ".npz" : ".npy");
  return load_array(parse_selector(file.path + selector));
}

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

const char* const kTwoByThree = "{'descr': '<i2', 'fortran_order': False, 'shape': (2, 3), }\n";
const Bytes kTwelveBytes = {1, 0, 2, 0, 3, 0, 0xFF, 0xFF, 5, 0, 0, 0x80};

TEST(Npy, ReadsEachFormatVersion) {
  for (const int version : {1, 2, 3}) {
    const auto array = parse_npy(npy(kTwoByThree, kTwelveBytes, version), "a");
    EXPECT_EQ(array.dtype, "<i2");
    EXPECT_THAT(array.shape, ElementsAre(2, 3));
    EXPECT_THAT(array.as_integers(), ElementsAre(1, 2, 3, -1, 5, -32768));
    EXPECT_THAT(array.as_doubles(), ElementsAre(1, 2, 3, -1, 5, -32768));
  }
}

TEST(Npy, ReadsScalarsVectorsAndLooseSpelling) {
  EXPECT_EQ(parse_npy(npy("{'descr':'<f8','fortran_order':False,'shape':()}",
                          {0, 0, 0, 0, 0, 0, 0xF8, 0x3F}), "a").as_doubles().at(0), 1.5);
  const auto bytes = parse_npy(npy("{\"shape\": (2,), \"descr\": \"<i1\", \"fortran_order\": True}",
                                   {0xFE, 7}), "a");
  EXPECT_EQ(bytes.dtype, "|i1");
  EXPECT_THAT(bytes.as_integers(), ElementsAre(-2, 7));
}

TEST(Npy, WritesWhatNumpyWrites) {
  // The first 128 bytes of numpy.save(f, numpy.zeros((3, 4), "<f4")): header padded to 64 bytes.
  const NpyArray array{"<f4", {3, 4}, Bytes(48)};
  const auto bytes = format_npy(array);
  const std::string dict = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }";
  ASSERT_EQ(bytes.size(), 128u + 48u);
  EXPECT_EQ(std::string(bytes.begin() + 10, bytes.begin() + 10 + 59), dict);
  EXPECT_EQ(bytes[8] | bytes[9] << 8, 118);
  EXPECT_EQ(bytes[127], '\n');
  for (const auto& shape : std::vector<std::vector<uint64_t>>{{}, {5}, {0}, {2, 3, 4}}) {
    NpyArray other{"|u1", shape, {}};
    other.bytes.resize(other.elements(), 9);
    const auto back = parse_npy(format_npy(other), "b");
    EXPECT_EQ(back.shape, shape);
    EXPECT_EQ(back.bytes, other.bytes);
    EXPECT_EQ((format_npy(other).size() - other.bytes.size()) % 64, 0u);
  }
}

TEST(Npy, RefusesWithAReason) {
  const auto refused = [](const std::string& dict, const Bytes& data = {}) {
    return error_of([&] { parse_npy(npy(dict, data), "x.npy"); });
  };
  EXPECT_THAT(refused("{'descr': '>i2', 'fortran_order': False, 'shape': (1,), }"),
              HasSubstr("'>i2'"));
  EXPECT_THAT(refused("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }"),
              HasSubstr("'<c8'"));
  EXPECT_THAT(refused("{'descr': [('a', '<i2')], 'fortran_order': False, 'shape': (1,), }"),
              HasSubstr("structured"));
  EXPECT_THAT(refused("{'descr': '<i2', 'fortran_order': True, 'shape': (2, 3), }", kTwelveBytes),
              HasSubstr("Fortran"));
  EXPECT_THAT(refused("{'descr': '<i2', 'shape': (2, 3), }"), HasSubstr("missing"));
  EXPECT_THAT(refused("{'descr': '<i2', 'descr': '<i2', }"), HasSubstr("repeated"));
  EXPECT_THAT(refused("{'descr': '<i2', 'fortran_order': False, 'shape': (2, 4), }", kTwelveBytes),
              HasSubstr("12 data bytes, but its shape and type ask for 16"));
  EXPECT_THAT(refused("{'descr': '<i8', 'fortran_order': False, 'shape': (4294967296, 4294967296),"
                      "}"),
              HasSubstr("too large"));
  EXPECT_THAT(refused("{'descr': '<i8', 'fortran_order': False, 'shape': (99999999999999999999, 1),"
                      "}"),
              HasSubstr("too large"));
  EXPECT_THAT(refused("{'descr': '<i2', 'fortran_order': False, 'shape': (-1,), }"),
              HasSubstr("dimension"));
  EXPECT_THAT(error_of([] { parse_npy(npy(kTwoByThree, kTwelveBytes, 4), "x.npy"); }),
              HasSubstr("4.0"));
  EXPECT_THAT(error_of([] { parse_npy(Bytes(100, 'x'), "x.npy"); }), HasSubstr("not a .npy"));
  EXPECT_THAT(error_of([] { parse_npy({}, "x.npy"); }), HasSubstr("not a .npy"));
  EXPECT_THAT(error_of([] {
    parse_npy(npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", Bytes(4)),
                "x").as_integers();
  }), HasSubstr("integers"));
}

TEST(Npy, SelectorsAsUsersWriteThem) {
  auto s = parse_selector("dir/x.npz:x[0:100]");
  EXPECT_EQ(s.path, "dir/x.npz");
  EXPECT_EQ(s.array, "x");
  EXPECT_TRUE(s.has_range);
  EXPECT_EQ(s.first, 0u);
  EXPECT_EQ(s.last, 100u);
  s = parse_selector("odd:name[1]/x.npy");
  EXPECT_EQ(s.path, "odd:name[1]/x.npy");
  EXPECT_EQ(s.array, "");
  EXPECT_FALSE(s.has_range);
  for (const char* bad : {"x.npy[3]", "x.npy[3:3]", "x.npy[4:3]", "x.npy[a:3]", "x.npy[-1:3]", "",
                          "x.npz:", "[0:1]", "x.npy[99999999999999999999:]"})
    EXPECT_THROW(parse_selector(bad), UsageError) << bad;
}

TEST(Npy, RangesSelectRows) {
  const Bytes file = npy(kTwoByThree, kTwelveBytes);
  EXPECT_THAT(load(file, "[1:2]").as_integers(), ElementsAre(-1, 5, -32768));
  EXPECT_THAT(load(file, "[:1]").as_integers(), ElementsAre(1, 2, 3));
  EXPECT_THAT(load(file, "[1:]").shape, ElementsAre(1, 3));
  EXPECT_THAT(error_of([&] { load(file, "[1:3]"); }), HasSubstr("[1:3] of an array with 2 rows"));
  EXPECT_THAT(error_of([&] { load(file, "[2:]"); }), HasSubstr("2 rows"));
}

TEST(Npz, ReadsStoredAndDeflatedMembersByName) {
  const Bytes one = npy(kTwoByThree, kTwelveBytes);
  const Bytes two = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (5000,), }", Bytes(5000,
              3));
  const Bytes file = zip({{"a.npy", one, false}, {"b.npy", two, true}});
  EXPECT_THAT(load(file, ":a").as_integers(), ElementsAre(1, 2, 3, -1, 5, -32768));
  EXPECT_EQ(load(file, ":b").bytes, Bytes(5000, 3));
  EXPECT_EQ(load(zip({{"b.npy", two, true}}), "").bytes, Bytes(5000, 3));
  EXPECT_THAT(error_of([&] { load(file, ":c"); }), HasSubstr("no array named c (it holds: a, b)"));
  EXPECT_THAT(error_of([&] { load(file, ""); }), HasSubstr("name one"));
  EXPECT_THAT(error_of([&] { load(one, ":a"); }), HasSubstr("no arrays by name"));
}

TEST(Npz, RefusesBombsAndDamage) {
  const Bytes zeros = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (100000,), }",
              Bytes(100000));
  const auto refused = [](const Member& m) { return error_of([&] { load(zip({m}), ":a"); }); };
  EXPECT_THAT(refused({.name = "a.npy", .data = zeros, .declared_bytes = 4000000000}),
              HasSubstr("cannot inflate"));
  EXPECT_THAT(refused({.name = "a.npy", .data = zeros, .declared_bytes = 50000}),
              HasSubstr("inflates to other"));
  // The archive declares less than the stream holds, and the shape agrees with the archive.
  const Bytes small = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (10,), }",
              Bytes(10000));
  EXPECT_THAT(refused({.name = "a.npy", .data = small,
              .declared_bytes = static_cast<int64_t>(small.size()) - 9990}),
              HasSubstr("inflates to other"));
  EXPECT_THAT(refused({.name = "a.npy", .data = zeros, .crc_change = 1}), HasSubstr("checksum"));
  EXPECT_THAT(refused({.name = "a.npy", .data = zeros, .method = 12}), HasSubstr("method 12"));
  EXPECT_THAT(refused({.name = "a.npy", .data = zeros, .flags = 1}), HasSubstr("encrypted"));
  EXPECT_THAT(error_of([&] { load(zip({{"a.npy", zeros}, {"a.npy", zeros}}), ":a"); }),
              HasSubstr("two arrays"));
  EXPECT_THAT(error_of([&] { load(zip({}), ":a"); }), Not(HasSubstr("no error")));
}

// Any damage ends in an array of consistent size or in an Error; the sanitizer
// build judges the rest.
TEST(Npz, SurvivesTruncationAndMutation) {
  const Bytes one = npy(kTwoByThree, kTwelveBytes);
  for (const Bytes& file : {one, zip({{"a.npy", one, false}, {"b.npy", one, true}})}) {
    const std::string name = file[0] == 'P' ? ":a" : "";
    for (size_t length = 0; length < file.size(); ++length)
      EXPECT_THROW(load(Bytes(file.begin(), file.begin() + static_cast<int64_t>(length)), name),
                  Error) << length;
    std::mt19937 random(1);
    for (int round = 0; round < 1500; ++round) {
      Bytes damaged = file;
      for (uint32_t n = random() % 3 + 1; n-- > 0;)
        damaged[random() % damaged.size()] = static_cast<uint8_t>(random());
      try {
        const auto array = load(damaged, round % 2 ? name : file[0] == 'P' ? ":b" : "");
        EXPECT_EQ(array.bytes.size(), array.elements() * array.item_bytes());
      } catch (const Error&) {
      }
    }
  }
}

TEST(Npz, ReadsTheKeywordInputsThatNumpyWrote) {
  const char* data = std::getenv("MCUSIM_DATA");
  if (!data) GTEST_SKIP() << "MCUSIM_DATA is not set";
  const std::string kws = std::string(data) + "/kws/kws_test_inputs.npz";
  const auto x = load_array(parse_selector(kws + ":x[990:1000]"));
  EXPECT_EQ(x.dtype, "|i1");
  EXPECT_THAT(x.shape, ElementsAre(10, 49, 10, 1));
  const auto labels = load_array(parse_selector(kws + ":y")).as_integers();
  EXPECT_EQ(labels.size(), 1000u);
  for (const int64_t label : labels) EXPECT_TRUE(label >= 0 && label < 12);

  const std::string vww = std::string(data) + "/vww/vww_int8_logits.npz:logits";
  EXPECT_THAT(load_array(parse_selector(vww)).shape, ElementsAre(32, 2));
}

}  // namespace
}  // namespace mcusim
