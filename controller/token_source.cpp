#include "controller/token_source.hpp"

#include <utility>

#include "controller/log.hpp"
#include "controller/small_file.hpp"

namespace controller {
namespace {

constexpr std::chrono::seconds kMaxAge{60};

}  // namespace

TokenSource::TokenSource(const KubeConfig& config)
    : token_(config.token), file_(config.token_file) {}

const std::string& TokenSource::current(std::chrono::steady_clock::time_point now) {
  if (file_.empty() || (read_at_ && now - *read_at_ < kMaxAge)) return token_;
  read_at_ = now;
  auto token = read_token_file(file_);
  const auto problem = token ? std::string() : token.error();
  if (!problem.empty() && problem != problem_) {
    log(LogLevel::Warning, "the token file is not used, the token read before stays in use",
        {{"error", problem}});
  }
  problem_ = problem;
  if (token) token_ = std::move(*token);
  return token_;
}

void TokenSource::rejected(std::chrono::steady_clock::time_point sent_at) {
  if (read_at_ && *read_at_ <= sent_at) read_at_.reset();
}

}  // namespace controller
