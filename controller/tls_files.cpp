#include "controller/tls_files.hpp"

#include <fmt/format.h>

#include <utility>

#include "controller/client_certificate.hpp"
#include "controller/log.hpp"
#include "controller/pem.hpp"
#include "controller/small_file.hpp"

namespace controller {
namespace {

constexpr std::chrono::minutes kMaxAge{5};
constexpr std::chrono::minutes kRetry{1};

using Failure = std::unexpected<std::string>;

/// The file, or what was given in place of one.
std::expected<std::string, std::string> read(const std::filesystem::path& file,
                                             const std::string& in_place) {
  if (file.empty()) return in_place;
  return read_small_file(file, kMaxTextFile);
}

}  // namespace

TlsFiles::TlsFiles(const KubeConfig& config, TimePoint now)
    : ca_file_(config.ca_file),
      certificate_file_(config.client_certificate_file),
      key_file_(config.client_key_file),
      ca_pem_(config.ca_pem),
      certificate_pem_(config.client_certificate_pem),
      key_pem_(config.client_key_pem),
      authority_{now, now + kMaxAge, {}},
      identity_{now, now + kMaxAge, {}} {}

template <typename Read>
bool TlsFiles::run(Schedule& schedule, TimePoint now, Read read_now) {
  if (schedule.due && now < *schedule.due) return false;
  schedule.read_at = now;
  const std::expected<bool, std::string> changed = read_now();
  schedule.due = now + (changed ? kMaxAge : kRetry);
  const auto problem = changed ? std::string() : changed.error();
  if (!problem.empty() && problem != schedule.problem) {
    log(LogLevel::Warning, "a changed file is not used, the one read before stays in use",
        {{"error", problem}});
  }
  schedule.problem = problem;
  return changed && *changed;
}

TlsFiles::Change TlsFiles::refresh(TimePoint now) {
  Change change;
  if (!ca_file_.empty()) {
    change.authority = run(authority_, now, [this] { return read_authority(); });
  }
  if (!certificate_file_.empty() || !key_file_.empty()) {
    change.identity = run(identity_, now, [this] { return read_identity(); });
  }
  return change;
}

void TlsFiles::rejected(TimePoint sent_at) {
  if (identity_.read_at <= sent_at) identity_.due.reset();
}

std::expected<bool, std::string> TlsFiles::read_authority() {
  auto text = read(ca_file_, {});
  if (!text) return Failure(std::move(text).error());
  if (*text == ca_pem_) return false;
  if (const auto valid = read_certificates(*text); !valid) {
    return Failure(fmt::format("{} {}", ca_file_.string(), valid.error()));
  }
  ca_pem_ = std::move(*text);
  log(LogLevel::Info, "the CA of the API server has changed", {{"file", ca_file_.string()}});
  return true;
}

std::expected<bool, std::string> TlsFiles::read_identity() {
  auto certificate = read(certificate_file_, certificate_pem_);
  if (!certificate) return Failure(std::move(certificate).error());
  auto key = read(key_file_, key_pem_);
  if (!key) return Failure(std::move(key).error());
  if (*certificate == certificate_pem_ && *key == key_pem_) return false;
  const auto name = [](const std::filesystem::path& file, const char* in_place) {
    return file.empty() ? std::string(in_place) : file.string();
  };
  const auto valid =
      check_client_certificate(*certificate, name(certificate_file_, "client-certificate-data"),
                               *key, name(key_file_, "client-key-data"));
  if (!valid) return Failure(valid.error());
  certificate_pem_ = std::move(*certificate);
  key_pem_ = std::move(*key);
  log(LogLevel::Info, "the client certificate has changed",
      {{"file", name(certificate_file_, "client-certificate-data")}});
  return true;
}

}  // namespace controller
