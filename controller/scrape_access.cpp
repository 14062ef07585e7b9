#include "controller/scrape_access.hpp"

#include <openssl/evp.h>

#include <array>
#include <boost/json/object.hpp>
#include <new>
#include <optional>
#include <utility>

#include "controller/log.hpp"
#include "controller/small_file.hpp"
#include "crd/json.hpp"

namespace controller {
namespace {

namespace json = boost::json;
using crd::json::object_at;
using Verdict = ScrapeAccess::Verdict;

constexpr Resource kTokenReviews{"apis/authentication.k8s.io/v1", "tokenreviews", "TokenReview",
                                 false};
constexpr Resource kAccessReviews{"apis/authorization.k8s.io/v1", "subjectaccessreviews",
                                  "SubjectAccessReview", false};
constexpr std::size_t kMaxToken = 8 * 1024;

/// The token of "Bearer TOKEN"; the scheme in any case (RFC 7235).
std::optional<std::string> bearer_token(std::string_view header) {
  constexpr std::string_view kScheme = "bearer ";
  if (header.size() < kScheme.size() || header.size() > kMaxToken) return std::nullopt;
  for (std::size_t i = 0; i < kScheme.size(); ++i) {
    const char c = header[i];
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (lower != kScheme[i]) return std::nullopt;
  }
  auto token = clean_token(header.substr(kScheme.size()));
  if (!token) return std::nullopt;
  return *std::move(token);
}

std::string digest_of(const std::string& token, const std::string& path) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  const auto text = token + "\n" + path;
  if (EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr) != 1) {
    throw std::bad_alloc();
  }
  return {digest.begin(), digest.begin() + size};
}

json::object token_review(const std::string& token) {
  return {{"apiVersion", "authentication.k8s.io/v1"},
          {"kind", "TokenReview"},
          {"spec", json::object{{"token", token}}}};
}

/// nullptr when the token is not that of a user.
const json::object* user_in(const json::object& review) {
  const auto* status = object_at(review, "status");
  if (status == nullptr || !crd::json::bool_at(*status, "authenticated")) {
    return nullptr;
  }
  const auto* user = object_at(*status, "user");
  return user != nullptr && !crd::json::string_at(*user, "username").empty() ? user : nullptr;
}

json::object access_review(const json::object& user, const std::string& path) {
  json::object spec{{"nonResourceAttributes", json::object{{"path", path}, {"verb", "get"}}}};
  spec["user"] = crd::json::string_at(user, "username");
  for (const char* field : {"uid", "groups", "extra"}) {
    if (const auto* value = user.if_contains(field)) spec[field] = *value;
  }
  return {{"apiVersion", "authorization.k8s.io/v1"},
          {"kind", "SubjectAccessReview"},
          {"spec", std::move(spec)}};
}

/// Not the message: it may quote an answer, and that our request with the token in it.
Verdict unknown(std::string_view what, const KubeError& error) {
  log(LogLevel::Warning, "cannot tell whether a request may read the metrics",
      {{"request", std::string(what)},
       {"error", std::string(to_string(error.kind))},
       {"httpStatus", std::to_string(error.http_status)}});
  return Verdict::Unknown;
}

}  // namespace

ScrapeAccess::ScrapeAccess(KubeClient& client, Now now) : client_(client), now_(now), reviews_(1) {}

boost::asio::awaitable<Verdict> ScrapeAccess::check(std::string authorization, std::string path) {
  auto token = bearer_token(authorization);
  if (!token) co_return Verdict::Unauthenticated;
  const auto key = digest_of(*token, path);
  if (const auto known = kept(key)) co_return *known;
  const auto slot = co_await reviews_.acquire();
  if (const auto known = kept(key)) co_return *known;  // another request has asked meanwhile
  const auto verdict = co_await ask(*std::move(token), std::move(path));
  keep(key, verdict);
  co_return verdict;
}

boost::asio::awaitable<Verdict> ScrapeAccess::ask(std::string token, std::string path) {
  const CollectionRef token_reviews{kTokenReviews, {}};
  const auto review = co_await client_.create(token_reviews, token_review(token));
  if (!review) co_return unknown("TokenReview", review.error());
  const auto* user = user_in(*review);
  if (user == nullptr) co_return Verdict::Unauthenticated;
  const CollectionRef access_reviews{kAccessReviews, {}};
  const auto access = co_await client_.create(access_reviews, access_review(*user, path));
  if (!access) co_return unknown("SubjectAccessReview", access.error());
  const auto* status = object_at(*access, "status");
  const bool allowed = status != nullptr && crd::json::bool_at(*status, "allowed");
  co_return allowed ? Verdict::Allowed : Verdict::Forbidden;
}

std::optional<Verdict> ScrapeAccess::kept(const std::string& key) const {
  const auto found = kept_.find(key);
  if (found == kept_.end() || found->second.until <= now_()) return std::nullopt;
  return found->second.verdict;
}

void ScrapeAccess::keep(const std::string& key, Verdict verdict) {
  if (verdict == Verdict::Unknown) return;
  const auto now = now_();
  std::erase_if(kept_, [now](const auto& entry) { return entry.second.until <= now; });
  if (kept_.size() >= kMaxKept) kept_.clear();
  kept_[key] = {verdict, now + (verdict == Verdict::Allowed ? kKeepAllowed : kKeepRefused)};
}

}  // namespace controller
