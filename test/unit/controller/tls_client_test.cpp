#include "controller/tls_client.hpp"

#include <gtest/gtest.h>

#include <string>

#include "test/fake/client_fixture.hpp"

// Which servers are trusted, seen through the client over real TLS.

namespace controller {
namespace {

using fake::answer;
using fake::CertificateAuthority;
using fake::CertificateRequest;
using fake::HttpsServer;
using fake::Identity;
using fake::Request;

class TlsClientTest : public fake::ClientFixture {
 protected:
  std::string get_url() const { return "GET " + url("/api/v1/nodes/n1"); }

  KubeError error_with(const Identity& identity) {
    HttpsServer other(io_, identity);
    config_.port = std::to_string(other.port());
    forget_client();
    auto result = get_node();
    other.stop();
    EXPECT_EQ(other.connections(), 0);
    return result ? KubeError() : result.error();
  }
};

TEST_F(TlsClientTest, RefusesAServerOfAnotherAuthority) {
  const auto error = error_with(CertificateAuthority("other CA").issue(loopback()));
  EXPECT_EQ(error.kind, ErrorKind::NotSent);
  EXPECT_TRUE(error.tls_verification);
  EXPECT_EQ(error.message,
            get_url() +
                ": the certificate of the server was refused: unable to get local issuer "
                "certificate (check certificate-authority in the test)");
}

TEST_F(TlsClientTest, RefusesACertificateForAnotherName) {
  auto request = loopback();
  const std::pair<std::string, std::string> cases[] = {{"IP:127.0.0.2", "IP address mismatch"},
                                                       {"DNS:127.0.0.1", "IP address mismatch"},
                                                       {"", "IP address mismatch"}};
  for (const auto& [name, reason] : cases) {
    request.subject_alt_name = name;
    request.common_name = "127.0.0.1";  // does not count
    const auto error = error_with(ca_.issue(request));
    EXPECT_EQ(error.kind, ErrorKind::NotSent) << name;
    EXPECT_TRUE(error.tls_verification) << name;
    EXPECT_EQ(error.message,
              get_url() + ": the certificate of the server was refused: " + reason +
                  " (it is not for \"127.0.0.1\": check server and tls-server-name in the test)");
  }
}

TEST_F(TlsClientTest, DoesNotTakeTheCommonNameForAHostName) {
  auto request = loopback();
  request.common_name = "api.example.com";
  request.subject_alt_name = "";
  config_.tls_server_name = "api.example.com";
  const auto error = error_with(ca_.issue(request));
  EXPECT_TRUE(error.tls_verification);
  EXPECT_TRUE(error.message.contains("hostname mismatch")) << error.message;
}

TEST_F(TlsClientTest, ChecksTheServerNameOfTheConfigurationWithOrWithoutADotAtItsEnd) {
  auto request = loopback();
  request.subject_alt_name = "DNS:api.example.com";
  HttpsServer named(io_, ca_.issue(request));
  named.on_request([](const Request&) { return answer(200, node_json("n1")); });
  config_.port = std::to_string(named.port());
  for (const char* name : {"api.example.com", "api.example.com."}) {
    config_.tls_server_name = name;
    const auto object = get_node();
    EXPECT_TRUE(object) << name << ": " << object.error().message;
  }
  named.stop();
}

TEST_F(TlsClientTest, RefusesAnExpiredCertificate) {
  auto request = loopback();
  request.valid_from = std::chrono::hours(-48);
  request.valid_until = std::chrono::hours(-24);
  const auto error = error_with(ca_.issue(request));
  EXPECT_EQ(error.kind, ErrorKind::NotSent);
  EXPECT_TRUE(error.tls_verification);
  EXPECT_EQ(error.message,
            get_url() +
                ": the certificate of the server was refused: certificate has expired (renew "
                "the certificate of the API server or check the clock of this machine; server "
                "and certificate-authority are from the test)");
}

TEST_F(TlsClientTest, RefusesACertificateThatIsNotYetValid) {
  auto request = loopback();
  request.valid_from = std::chrono::hours(24);
  request.valid_until = std::chrono::hours(48);
  const auto error = error_with(ca_.issue(request));
  EXPECT_TRUE(error.tls_verification);
  EXPECT_TRUE(error.message.contains("certificate is not yet valid (renew the certificate"))
      << error.message;
}

TEST_F(TlsClientTest, RefusesASelfSignedCertificate) {
  const auto error = error_with(CertificateAuthority("127.0.0.1").self_signed());
  EXPECT_TRUE(error.tls_verification);
  EXPECT_TRUE(error.message.contains("(check certificate-authority in the test)")) << error.message;
}

TEST_F(TlsClientTest, RefusesAServerWithoutACertificate) {
  server_.hide_certificate();
  const auto error = get_node().error();
  EXPECT_EQ(error.kind, ErrorKind::NotSent);
  EXPECT_EQ(error.message,
            get_url() + ": TLS handshake failed: sslv3 alert handshake failure (SSL routines)");
  EXPECT_EQ(server_.requests().size(), 0u);
}

TEST_F(TlsClientTest, RefusesTlsOlderThan12) {
  server_.speak_old_tls();
  const auto error = get_node().error();
  EXPECT_EQ(error.kind, ErrorKind::NotSent);
  EXPECT_EQ(error.message,
            get_url() + ": TLS handshake failed: the server has no TLS 1.2 or newer");
  EXPECT_EQ(server_.requests().size(), 0u);
}

TEST_F(TlsClientTest, SaysThatTheServerWantsACertificateOfTheClient) {
  server_.demand_certificate(ca_.pem());
  const auto error = get_node().error();
  EXPECT_EQ(error.message, get_url() + ": the server demands a client certificate");
  EXPECT_EQ(server_.requests().size(), 0u);
}

TEST_F(TlsClientTest, ShowsTheCertificateOfTheClient) {
  server_.demand_certificate(ca_.pem());
  server_.on_request([](const Request&) { return answer(200, node_json("n1")); });
  CertificateRequest request;
  request.common_name = "operator";
  const auto identity = ca_.issue(request);
  config_.client_certificate_pem = identity.certificate_pem;
  config_.client_key_pem = identity.key_pem;
  const auto object = get_node();
  ASSERT_TRUE(object) << object.error().message;
  EXPECT_EQ(server_.requests().at(0).client, "operator");
}

TEST_F(TlsClientTest, TrustsAnybodyOnlyWhenToldSo) {
  auto request = loopback();
  request.subject_alt_name = "DNS:elsewhere";
  request.valid_from = std::chrono::hours(-48);
  request.valid_until = std::chrono::hours(-24);
  HttpsServer impostor(io_, CertificateAuthority("other CA").issue(request));
  impostor.on_request([](const Request&) { return answer(200, node_json("n1")); });
  config_.port = std::to_string(impostor.port());
  EXPECT_FALSE(get_node());
  forget_client();
  config_.ca_pem.clear();
  config_.insecure_skip_tls_verify = true;
  const auto object = get_node();
  EXPECT_TRUE(object) << object.error().message;
  impostor.stop();
}

}  // namespace
}  // namespace controller
