// SPDX-License-Identifier: MIT
// The page is complete without its script, which only adds: tables sort by a click or
// Enter on their heads, marks of charts show their words under the pointer and at
// keyboard focus (Tab into a chart, arrow keys from mark to mark).
#include "sim/report/page_style.h"

namespace mcusim::report {

const char* const kPageStyle = R"(
:root{color-scheme:light dark;--ink:#1f2328;--faint:#59636e;--rule:#d1d9e0;--empty:#eef1f4;--paper:#fff;--back:#f6f8fa;--link:#0b62c4}
@media (prefers-color-scheme:dark){:root{--ink:#e6edf3;--faint:#9198a1;--rule:#3d444d;--empty:#262c36;--paper:#151b23;--back:#0d1117;--link:#5aa2f5}}
*{box-sizing:border-box}
html{scroll-padding-top:3.2em}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--back);margin:0}
main,header,footer{max-width:1180px;margin:0 auto;padding:0 20px}
header{padding-top:28px}h1{font-size:1.6em;line-height:1.2;margin:0;overflow-wrap:anywhere}h1 small{font-size:.62em;font-weight:400;color:var(--faint)}
h2{font-size:1.15em;margin:0 0 .3em}
p{margin:.3em 0 .8em}.faint,figcaption{color:var(--faint)}figcaption{font-size:13px;max-width:80ch;margin-bottom:12px}
nav{position:sticky;top:0;z-index:1;background:var(--back);border-bottom:1px solid var(--rule);margin-top:14px}
nav div{max-width:1180px;margin:0 auto;padding:7px 20px;display:flex;flex-wrap:wrap;gap:2px 18px;font-size:13.5px}
a{color:var(--link);text-decoration:none}a:hover{text-decoration:underline}
section{background:var(--paper);border:1px solid var(--rule);border-radius:8px;padding:16px 18px;margin:16px 0;break-inside:avoid}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(158px,1fr));gap:10px;margin:16px 0}
.tiles div{background:var(--paper);border:1px solid var(--rule);border-radius:8px;padding:10px 14px}
.tiles b{display:block;font-size:1.3em;white-space:nowrap;line-height:1.25;font-variant-numeric:tabular-nums}.tiles span{color:var(--faint);font-size:13px}
.scroll{overflow-x:auto}svg{display:block;width:100%;height:auto}figure{margin:0}figure .scroll svg{min-width:640px}
table{border-collapse:collapse;font-size:12px;width:100%;font-variant-numeric:tabular-nums}
th,td{padding:2px 5px;text-align:right;border-bottom:1px solid var(--empty);white-space:nowrap}
th{color:var(--faint);font-weight:600;border-bottom:1px solid var(--rule);vertical-align:bottom}
th.l,td.l{text-align:left}tfoot td{font-weight:600;border-top:1px solid var(--rule);border-bottom:0}
tbody tr:hover{background:var(--empty)}
td.share{background:linear-gradient(#3b76b844,#3b76b844) no-repeat left/var(--p) 100%}
th[aria-sort]{cursor:pointer}th[aria-sort=ascending]::after{content:" \2191"}th[aria-sort=descending]::after{content:" \2193"}
dl{display:grid;grid-template-columns:max-content 1fr;gap:3px 18px;margin:0;font-size:14px}dt{color:var(--faint)}dd{margin:0;overflow-wrap:anywhere}
.alarm{border-color:#c0325a;border-left-width:5px}
:focus-visible{outline:2px solid var(--link);outline-offset:1px}
.mark:focus{outline:none}.mark:focus>:is(rect,circle),.mark:hover>:is(rect,circle){stroke:var(--ink);stroke-width:1.2}
#tip{position:fixed;display:none;z-index:2;max-width:30em;padding:6px 10px;background:var(--ink);color:var(--paper);border-radius:6px;font-size:12.5px;line-height:1.4;white-space:pre-line;pointer-events:none}
footer{color:var(--faint);font-size:13px;padding-bottom:30px}
@media (max-width:600px){nav{position:static}main,header,footer,nav div{padding-left:10px;padding-right:10px}section{padding:12px 10px}dl{grid-template-columns:1fr}dd{margin-bottom:6px}}
@media print{:root{color-scheme:light;--ink:#000;--faint:#444;--rule:#aaa;--empty:#eee;--paper:#fff;--back:#fff;--link:#000}
@page{size:A4;margin:14mm}body{font-size:11px;print-color-adjust:exact;-webkit-print-color-adjust:exact}nav,#tip{display:none}
main,header,footer{max-width:none;padding:0}section{padding:10px 0;border-width:1px 0 0;border-radius:0;margin:10px 0}section.long{break-inside:auto}
tr{break-inside:avoid}table{font-size:7px}th,td{padding:1px 3px}.scroll{overflow:visible}.tiles{grid-template-columns:repeat(6,1fr)}.tiles b{font-size:1.15em}figure .scroll svg{min-width:0}}
)";

const char* const kPageScript = R"(
"use strict";
const tip=document.getElementById("tip");
const show=(mark,x,y)=>{tip.textContent=mark.getAttribute("aria-label");tip.style.display="block";
 tip.style.left=Math.max(4,Math.min(x+14,innerWidth-tip.offsetWidth-8))+"px";
 tip.style.top=(y+18+tip.offsetHeight>innerHeight?Math.max(4,y-tip.offsetHeight-10):y+16)+"px"};
const hide=()=>{tip.style.display="none"};
for(const svg of document.querySelectorAll("figure svg")){
 svg.setAttribute("role","group");
 const marks=[...svg.querySelectorAll(".mark")];
 marks.forEach((mark,i)=>{
  const title=mark.querySelector("title");
  mark.setAttribute("aria-label",title.textContent);mark.setAttribute("role","img");title.remove();
  mark.tabIndex=i?-1:0;
  mark.addEventListener("mousemove",e=>show(mark,e.clientX,e.clientY));
  mark.addEventListener("mouseleave",hide);
  mark.addEventListener("blur",hide);
  mark.addEventListener("focus",()=>{const box=mark.getBoundingClientRect();show(mark,box.left,box.bottom-12)});
  mark.addEventListener("keydown",e=>{
   const step={ArrowDown:1,ArrowRight:1,ArrowUp:-1,ArrowLeft:-1}[e.key];
   const to=e.key==="Home"?0:e.key==="End"?marks.length-1:step?i+step:-1;
   if(e.key==="Escape")hide();
   if(!(to in marks))return;
   e.preventDefault();marks[i].tabIndex=-1;marks[to].tabIndex=0;marks[to].focus()})})}
const value=(row,column)=>{const words=row.cells[column].textContent.replace(/,/g,"");const number=parseFloat(words);return isNaN(number)?words:number};
for(const table of document.querySelectorAll("table")){
 const heads=[...table.tHead.rows[0].cells],body=table.tBodies[0];
 heads.forEach((head,column)=>{
  const sort=()=>{
   const rising=head.getAttribute("aria-sort")==="descending";
   heads.forEach(other=>other.setAttribute("aria-sort","none"));
   head.setAttribute("aria-sort",rising?"ascending":"descending");
   const order=(a,b)=>{const x=value(a,column),y=value(b,column);
    return typeof x===typeof y?(x<y?-1:x>y?1:0):typeof x==="number"?1:-1};
   body.append(...[...body.rows].sort((a,b)=>rising?order(a,b):order(b,a)))};
  head.tabIndex=0;head.setAttribute("aria-sort","none");head.title="Sort";
  head.addEventListener("click",sort);
  head.addEventListener("keydown",e=>{if(e.key==="Enter"||e.key===" "){e.preventDefault();sort()}})})}
)";

}  // namespace mcusim::report
