#include "controller/exec_credential.hpp"

#include <gtest/gtest.h>

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "test/fake/test_certificates.hpp"

namespace controller {
namespace {

constexpr std::string_view kV1 = "client.authentication.k8s.io/v1";

std::string printed(const boost::json::object& status) {
  return boost::json::serialize(
      boost::json::object{{"kind", "ExecCredential"}, {"apiVersion", kV1}, {"status", status}});
}

std::string error_of(const std::string& text) {
  const auto parsed = parse_exec_credential(text, kV1);
  return parsed ? "no error" : parsed.error();
}

TEST(ExecCredential, ReadsATokenWithItsEnd) {
  const auto parsed = parse_exec_credential(
      printed({{"token", "abc\n"}, {"expirationTimestamp", "2030-01-01T02:00:00+02:00"}}), kV1);
  ASSERT_TRUE(parsed) << parsed.error();
  EXPECT_EQ(parsed->token, "abc");
  EXPECT_EQ(parsed->expires, std::chrono::sys_days(std::chrono::year(2030) / 1 / 1));
}

TEST(ExecCredential, EndsWithItsCertificateWhenThatIsSooner) {
  const fake::CertificateAuthority ca;
  const auto identity = ca.issue({});  // an hour
  const auto parsed =
      parse_exec_credential(printed({{"clientCertificateData", identity.certificate_pem},
                                     {"clientKeyData", identity.key_pem},
                                     {"expirationTimestamp", "2130-01-01T00:00:00Z"}}),
                            kV1);
  ASSERT_TRUE(parsed) << parsed.error();
  EXPECT_EQ(parsed->certificate_pem, identity.certificate_pem);
  EXPECT_EQ(parsed->key_pem, identity.key_pem);
  EXPECT_LT(*parsed->expires, std::chrono::system_clock::now() + std::chrono::hours(2));
}

TEST(ExecCredential, SaysWhatIsWrongWithoutShowingIt) {
  const fake::CertificateAuthority ca;
  const auto identity = ca.issue({});
  const auto other = ca.issue({});
  fake::CertificateRequest past;
  past.valid_from = std::chrono::hours(-2);
  past.valid_until = std::chrono::hours(-1);
  const auto expired = ca.issue(past);
  const std::pair<std::string, std::string> cases[] = {
      {"", "it did not print a JSON object"},
      {"hunter2", "it did not print a JSON object"},
      {"{\"hunter2", "it did not print a JSON object"},
      {"[\"hunter2\"]", "it did not print a JSON object"},
      {R"({"kind":"hunter2"})", "it did not print an ExecCredential"},
      {R"({"kind":"ExecCredential","apiVersion":"hunter2"})",
       "it printed another apiVersion than client.authentication.k8s.io/v1, which the kubeconfig "
       "asks for"},
      {R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1"})",
       "it printed no status"},
      {printed({}), "it printed neither a token nor clientCertificateData"},
      {printed({{"token", 1}}), "it printed neither a token nor clientCertificateData"},
      {printed({{"token", "hunter2\r\nX: y"}}),
       "its token has a space, a control character or a non-ASCII character"},
      {printed({{"token", "hunter2"}, {"expirationTimestamp", "hunter2"}}),
       "its expirationTimestamp is not a time"},
      {printed({{"clientCertificateData", identity.certificate_pem}}),
       "it has clientCertificateData without clientKeyData"},
      {printed({{"clientKeyData", identity.key_pem}}),
       "it has clientKeyData without clientCertificateData"},
      {printed({{"clientCertificateData", identity.certificate_pem}, {"clientKeyData", "hunter2"}}),
       "its clientKeyData holds no PEM private key"},
      {printed({{"clientCertificateData", "hunter2"}, {"clientKeyData", identity.key_pem}}),
       "its clientCertificateData holds no PEM certificate"},
      {printed(
           {{"clientCertificateData", identity.certificate_pem}, {"clientKeyData", other.key_pem}}),
       "its clientKeyData is not the key of its clientCertificateData"},
  };
  for (const auto& [text, why] : cases) EXPECT_EQ(error_of(text), why) << text;
  EXPECT_TRUE(error_of(printed({{"clientCertificateData", expired.certificate_pem},
                                {"clientKeyData", expired.key_pem}}))
                  .starts_with("its clientCertificateData expired at "));
}

}  // namespace
}  // namespace controller
