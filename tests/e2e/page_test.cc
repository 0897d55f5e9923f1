// SPDX-License-Identifier: MIT
// The HTML report in a real browser: a probe that is put into the page asks what the
// browser made of it. Skipped by name where Chromium is not installed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "kernels/host/int_net.h"
#include "tests/e2e/program.h"
#include "tests/sim/small_net.h"

namespace mcusim::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Json = nlohmann::json;

// First script of the page: hears what goes wrong in all others.
constexpr const char* kListener = R"(<script>
window.wrong=[];
addEventListener("error",e=>wrong.push("error "+e.message),true);
addEventListener("securitypolicyviolation",e=>wrong.push("request "+e.blockedURI));
for(const level of ["error","warn"]){console[level]=(...words)=>wrong.push(level+" "+words.join(" "))}
</script>)";

// Last script: measures, uses the page as a person would, writes what it saw into the body.
constexpr const char* kProbe = R"(<script>{
const saw={charts:{},tables:{},wrong:window.wrong};
const number=words=>Number(words.replace(/,/g,""));
for(const svg of document.querySelectorAll("section figure svg")){
 const frame=svg.getBoundingClientRect(),boxes=[...svg.querySelectorAll("text")].map(t=>[t.textContent,t.getBoundingClientRect()]);
 const meet=(a,b)=>a.left<b.right-1&&b.left<a.right-1&&a.top<b.bottom-3&&b.top<a.bottom-3;
 const overlaps=[],outside=[];
 boxes.forEach(([words,box],i)=>{
  if(box.left<frame.left-1||box.right>frame.right+1||box.top<frame.top-1||box.bottom>frame.bottom+1)outside.push(words);
  for(const [other,its] of boxes.slice(i+1))if(meet(box,its))overlaps.push(words+" / "+other)});
 saw.charts[svg.closest("section").id]={width:frame.width,height:frame.height,overlaps,outside,
  marks:[...svg.querySelectorAll(".mark")].map(m=>({...m.dataset,label:m.getAttribute("aria-label")})),
  bars:[...svg.querySelectorAll("[data-cause]")].map(b=>({...b.dataset,width:b.getBBox().width}))}}
for(const table of document.querySelectorAll("table")){
 const cycles=[...table.tHead.rows[0].cells].findIndex(c=>c.textContent==="cycles");
 const column=()=>[...table.tBodies[0].rows].map(r=>number(r.cells[cycles].textContent));
 const seen={rows:table.tBodies[0].rows.length};
 if(cycles>=0){
  seen.sum=column().reduce((a,b)=>a+b,0);
  seen.total=number(table.tFoot.rows[0].cells[cycles].textContent);
  table.tHead.rows[0].cells[cycles].dispatchEvent(new KeyboardEvent("keydown",{key:"Enter"}));
  seen.falling=column();
  table.tHead.rows[0].cells[cycles].click();
  seen.rising=column()}
 saw.tables[table.closest("section").id]=seen}
const marks=document.querySelectorAll("#layers .mark"),tip=document.getElementById("tip");
marks[0].focus();
marks[0].dispatchEvent(new KeyboardEvent("keydown",{key:"End"}));
saw.focused=document.activeElement===marks[marks.length-1];
saw.tip=tip.textContent;
saw.links=[...document.querySelectorAll("nav a")].map(a=>document.querySelector(a.getAttribute("href"))!==null);
saw.resources=performance.getEntriesByType("resource").map(e=>e.name);
saw.overflow=document.documentElement.scrollWidth-innerWidth;
saw.tiles=[...document.querySelectorAll(".tiles b")].map(b=>b.textContent);
setTimeout(()=>{const out=document.createElement("pre");out.id="saw";out.textContent=JSON.stringify(saw);document.body.append(out)},100);
}</script>)";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  return text.replace(text.rfind(from), from.size(), to);
}

// The text of <pre id="saw">, entities undone.
Json saw_in(const std::string& dom) {
  const std::string open = "<pre id=\"saw\">";
  const size_t first = dom.find(open);
  if (first == std::string::npos) return {};
  std::string words = dom.substr(first + open.size(), dom.find("</pre>", first) - first - open.size());
  for (const auto& [entity, character] : {std::pair{"&lt;", "<"}, {"&gt;", ">"}, {"&nbsp;", " "}, {"&amp;", "&"}})
    for (size_t at; (at = words.find(entity)) != std::string::npos;) words.replace(at, strlen(entity), character);
  return Json::parse(words);
}

class Page : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const char* path : {"/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"})
      if (browser_.empty() && std::filesystem::exists(path)) browser_ = path;
    if (browser_.empty()) GTEST_SKIP() << "chromium is not installed";
    IntNet net = small_net(1);
    net.ops[0].name = "a layer <&> \"whose\" name is far too long for any chart to show in full";
    write_file(file("net.bin"), encode(net));
    ASSERT_EQ(run_program({"run", file("net.bin"), "-q", "--verify", "--json", file("run.json")}).status, 0);
    ASSERT_EQ(run_program({"report", file("run.json"), "--html", file("run.html")}).status, 0);
    run_ = Json::parse(read_text_file(file("run.json")));
    page_ = read_text_file(file("run.html"));
  }
  std::string file(const std::string& name) const { return directory_.file(name); }

  // What the probe saw; `console_` gets what the browser logged of the page.
  Json open(const std::string& page, const std::string& window = "1200,900") {
    write_file(file("probed.html"), replaced(replaced(page, "</body>", std::string(kProbe) + "</body>"), "<style>", std::string(kListener) + "<style>"));
    const Finished done = run_program(
        {"--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--user-data-dir=" + file("profile"), "--window-size=" + window,
         "--enable-logging=stderr", "--log-level=0", "--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=3000", "--dump-dom",
         "file://" + file("probed.html")},
        browser_);
    for (size_t at = 0; (at = done.err.find("CONSOLE", at)) != std::string::npos; ++at)
      console_ += done.err.substr(at, done.err.find('\n', at) - at) + "\n";
    return saw_in(done.out);
  }

  const TemporaryDirectory directory_;
  std::string browser_, page_, console_;
  Json run_;
};

TEST_F(Page, ChartsAndTotalsAreThoseOfTheReport) {
  const Json saw = open(page_);
  ASSERT_FALSE(saw.is_null()) << console_;
  EXPECT_THAT(console_, IsEmpty());
  EXPECT_EQ(saw["wrong"], Json::array());
  EXPECT_EQ(saw["resources"], Json::array());
  const uint64_t total = run_["totals"]["cycles"];

  for (const char* id : {"layers", "functions", "roofline", "memory", "arena", "ram_plan", "flash_plan"}) {
    ASSERT_TRUE(saw["charts"].contains(id)) << id;
    const Json& chart = saw["charts"][id];
    EXPECT_GT(chart["height"], 50) << id;
    EXPECT_EQ(chart["overlaps"], Json::array()) << id;
    EXPECT_EQ(chart["outside"], Json::array()) << id;
    EXPECT_GT(chart["marks"].size(), 0u) << id;
    for (const Json& mark : chart["marks"]) EXPECT_FALSE(mark["label"].get<std::string>().empty()) << id;
  }

  // Bars: cycles of rows and of causes add up, and lengths are to scale.
  const Json& layers = saw["charts"]["layers"];
  uint64_t by_row = 0, by_cause = 0;
  std::vector<uint64_t> rows;
  for (const Json& mark : layers["marks"])
    if (mark.contains("layer")) rows.push_back(std::stoull(mark["cycles"].get<std::string>())), by_row += rows.back();
  double scale = 0;
  for (const Json& bar : layers["bars"]) {
    const auto cycles = std::stoull(bar["cycles"].get<std::string>());
    by_cause += cycles;
    if (cycles > total / 50) {
      const double here = bar["width"].get<double>() / static_cast<double>(cycles);
      if (scale == 0) scale = here;
      EXPECT_NEAR(here / scale, 1, 0.01);
    }
  }
  EXPECT_EQ(by_row, total);
  EXPECT_EQ(by_cause, total);
  ASSERT_EQ(rows.size(), run_["layers"].size());
  for (size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(rows[i], run_["layers"][i]["cycles"]);

  // What lives where: every tensor at its offset.
  ASSERT_EQ(saw["charts"]["arena"]["marks"].size(), run_["arena"].size());
  for (size_t i = 0; i < run_["arena"].size(); ++i) {
    EXPECT_EQ(saw["charts"]["arena"]["marks"][i]["offset"], std::to_string(run_["arena"][i]["offset_bytes"].get<uint64_t>()));
    EXPECT_EQ(saw["charts"]["arena"]["marks"][i]["size"], std::to_string(run_["arena"][i]["size_bytes"].get<uint64_t>()));
  }
  for (const char* id : {"layer_table", "function_table", "causes"}) {
    EXPECT_EQ(saw["tables"][id]["sum"], total) << id;
    EXPECT_EQ(saw["tables"][id]["total"], total) << id;
  }
}

TEST_F(Page, WorksByKeyboardAndOnANarrowScreen) {
  const Json saw = open(page_, "420,800");
  ASSERT_FALSE(saw.is_null()) << console_;
  EXPECT_TRUE(saw["focused"]);
  EXPECT_THAT(saw["tip"].get<std::string>(), HasSubstr("between layers"));
  for (const Json& link : saw["links"]) EXPECT_TRUE(link);
  EXPECT_LE(saw["overflow"], 0) << "the page scrolls sideways";
  const auto falling = saw["tables"]["layer_table"]["falling"].get<std::vector<uint64_t>>();
  EXPECT_TRUE(std::is_sorted(falling.rbegin(), falling.rend()));
  const auto rising = saw["tables"]["layer_table"]["rising"].get<std::vector<uint64_t>>();
  EXPECT_TRUE(std::is_sorted(rising.begin(), rising.end()));
}

// The checks above would notice: a page that asks for something and has an error.
TEST_F(Page, ARequestIsForbiddenAndAnErrorIsSeen) {
  const Json saw = open(replaced(page_, "</main>", "<img src=\"http://example.invalid/a.png\" alt=\"\"><script>missing()</script></main>"));
  ASSERT_FALSE(saw.is_null()) << console_;
  EXPECT_THAT(console_, HasSubstr("Content Security Policy"));
  EXPECT_THAT(console_, HasSubstr("missing is not defined"));
  EXPECT_THAT(saw["wrong"].dump(), HasSubstr("request http://example.invalid/a.png"));
}

}  // namespace
}  // namespace mcusim::testing
