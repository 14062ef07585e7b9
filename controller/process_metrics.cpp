#include "controller/process_metrics.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>
#include <system_error>
#include <utility>

namespace controller {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

MetricFamily family(std::string name, std::string help, MetricType type, double value) {
  prometheus::ClientMetric metric;
  (type == MetricType::Counter ? metric.counter.value : metric.gauge.value) = value;
  return {std::move(name), std::move(help), type, {metric}};
}

/// The fields of /proc/self/stat from the third on (proc(5)); the second, the name of the program,
/// may hold anything.
std::vector<double> stat_fields() {
  std::ifstream file("/proc/self/stat");
  std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto name_end = text.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream rest{text.substr(name_end + 1)};
  std::string state;
  rest >> state;
  std::vector<double> fields{0};
  for (double value = 0; rest >> value;) fields.push_back(value);
  return fields;
}

/// Seconds since 1970 at which the machine was started.
std::optional<double> boot_time() {
  std::ifstream file("/proc/stat");
  for (std::string word; file >> word;) {
    double seconds = 0;
    if (word == "btime" && file >> seconds) return seconds;
  }
  return std::nullopt;
}

/// Less the one that the look itself needs.
std::optional<double> open_files() {
  std::error_code error;
  std::filesystem::directory_iterator entry{"/proc/self/fd", error};
  if (error) return std::nullopt;
  double count = -1;
  for (; !error && entry != std::filesystem::directory_iterator{}; entry.increment(error)) ++count;
  if (error) return std::nullopt;
  return count;
}

void add_stat(std::vector<MetricFamily>& out) {
  // Numbers of proc(5), less the two fields before the state and one because they count from 1.
  constexpr std::size_t kUserTime = 11;
  constexpr std::size_t kSystemTime = 12;
  constexpr std::size_t kStartTime = 19;
  constexpr std::size_t kVirtualBytes = 20;
  constexpr std::size_t kResidentPages = 21;
  const auto fields = stat_fields();
  if (fields.size() <= kResidentPages) return;
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  const auto page = static_cast<double>(::sysconf(_SC_PAGESIZE));
  out.push_back(family("process_cpu_seconds_total",
                       "Total user and system CPU time spent in seconds.", MetricType::Counter,
                       (fields[kUserTime] + fields[kSystemTime]) / ticks));
  out.push_back(family("process_resident_memory_bytes", "Resident memory size in bytes.",
                       MetricType::Gauge, fields[kResidentPages] * page));
  out.push_back(family("process_virtual_memory_bytes", "Virtual memory size in bytes.",
                       MetricType::Gauge, fields[kVirtualBytes]));
  if (const auto booted = boot_time()) {
    out.push_back(family("process_start_time_seconds",
                         "Start time of the process since unix epoch in seconds.",
                         MetricType::Gauge, *booted + fields[kStartTime] / ticks));
  }
}

}  // namespace

std::vector<MetricFamily> process_metrics() {
  std::vector<MetricFamily> out;
  add_stat(out);
  if (const auto count = open_files()) {
    out.push_back(
        family("process_open_fds", "Number of open file descriptors.", MetricType::Gauge, *count));
  }
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    out.push_back(family("process_max_fds", "Maximum number of open file descriptors.",
                         MetricType::Gauge, static_cast<double>(limit.rlim_cur)));
  }
  return out;
}

}  // namespace controller
