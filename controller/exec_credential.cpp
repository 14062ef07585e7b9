#include "controller/exec_credential.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include "controller/client_certificate.hpp"
#include "controller/small_file.hpp"
#include "crd/json.hpp"
#include "crd/time.hpp"

namespace controller {
namespace {

namespace json = boost::json;
using crd::json::object_at;
using crd::json::string_at;

template <typename... Args>
std::unexpected<std::string> fail(fmt::format_string<Args...> format, Args&&... args) {
  return std::unexpected(fmt::format(format, std::forward<Args>(args)...));
}

std::expected<void, std::string> read_certificate(const json::object& status, ExecCredential& out) {
  out.certificate_pem = string_at(status, "clientCertificateData");
  out.key_pem = string_at(status, "clientKeyData");
  if (out.certificate_pem.empty() && out.key_pem.empty()) return {};
  if (out.certificate_pem.empty())
    return fail("it has clientKeyData without clientCertificateData");
  if (out.key_pem.empty()) return fail("it has clientCertificateData without clientKeyData");
  const auto end = check_client_certificate(out.certificate_pem, "its clientCertificateData",
                                            out.key_pem, "its clientKeyData");
  if (!end) return std::unexpected(end.error());
  out.expires = out.expires ? std::min(*out.expires, *end) : *end;
  return {};
}

}  // namespace

std::expected<ExecCredential, std::string> parse_exec_credential(std::string_view text,
                                                                 std::string_view api_version) {
  boost::system::error_code error;
  const auto value = json::parse(text, error);
  const auto* object = error ? nullptr : value.if_object();
  if (object == nullptr) return fail("it did not print a JSON object");
  if (string_at(*object, "kind") != "ExecCredential")
    return fail("it did not print an ExecCredential");
  if (string_at(*object, "apiVersion") != api_version) {
    return fail("it printed another apiVersion than {}, which the kubeconfig asks for",
                api_version);
  }
  const auto* status = object_at(*object, "status");
  if (status == nullptr) return fail("it printed no status");

  ExecCredential out;
  if (const auto text_of_time = string_at(*status, "expirationTimestamp"); !text_of_time.empty()) {
    const auto time = crd::parse_rfc3339(text_of_time);
    if (!time) return fail("its expirationTimestamp is not a time");
    out.expires = *time;
  }
  if (auto read = read_certificate(*status, out); !read) return std::unexpected(read.error());
  if (const auto token = string_at(*status, "token"); !token.empty()) {
    auto clean = clean_token(token);
    if (!clean) return fail("its token {}", clean.error());
    out.token = std::move(*clean);
  }
  if (out.token.empty() && out.certificate_pem.empty()) {
    return fail("it printed neither a token nor clientCertificateData");
  }
  return out;
}

}  // namespace controller
