#include "controller/tls_files.hpp"

#include <gtest/gtest.h>

#include "test/fake/temporary_folder.hpp"
#include "test/fake/test_certificates.hpp"

namespace controller {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

class TlsFilesTest : public testing::Test {
 protected:
  TlsFilesTest() {
    config_.ca_pem = ca_.pem();
    config_.ca_file = folder_.write("ca.crt", ca_.pem());
    config_.client_certificate_pem = one_.certificate_pem;
    config_.client_key_pem = one_.key_pem;
    config_.client_certificate_file = folder_.write("tls.crt", one_.certificate_pem);
    config_.client_key_file = folder_.write("tls.key", one_.key_pem);
  }

  fake::TemporaryFolder folder_;
  fake::CertificateAuthority ca_;
  fake::CertificateAuthority new_ca_{"new CA"};
  fake::Identity one_ = ca_.issue({});
  fake::Identity two_ = ca_.issue({});
  KubeConfig config_;
  TlsFiles::TimePoint start_ = std::chrono::steady_clock::now();
};

TEST_F(TlsFilesTest, ReadsTheCaAgainAfterFiveMinutes) {
  TlsFiles files(config_, start_);
  const auto both = ca_.pem() + new_ca_.pem();
  folder_.write("ca.crt", both);
  EXPECT_FALSE(files.refresh(start_ + seconds(299)).authority);
  EXPECT_EQ(files.ca_pem(), ca_.pem());
  const auto change = files.refresh(start_ + seconds(300));
  EXPECT_TRUE(change.authority);
  EXPECT_FALSE(change.identity);
  EXPECT_EQ(files.ca_pem(), both);
  EXPECT_FALSE(files.refresh(start_ + seconds(600)).authority);
}

TEST_F(TlsFilesTest, KeepsTheLastGoodCaAndLooksAgainAfterAMinute) {
  TlsFiles files(config_, start_);
  auto now = start_ + minutes(5);
  for (const std::string bad : {"", "x", "-----BEGIN CERTIFICATE-----\nx"}) {
    folder_.write("ca.crt", bad);
    EXPECT_FALSE(files.refresh(now).authority) << bad;
    EXPECT_EQ(files.ca_pem(), ca_.pem());
    now += minutes(1);
  }
  std::filesystem::remove(config_.ca_file);
  EXPECT_FALSE(files.refresh(now).authority);
  EXPECT_EQ(files.ca_pem(), ca_.pem());
  folder_.write("ca.crt", new_ca_.pem());
  EXPECT_TRUE(files.refresh(now + minutes(1)).authority);
}

TEST_F(TlsFilesTest, ReadsTheCaAtOnceWhenTheServerIsNotTrusted) {
  TlsFiles files(config_, start_);
  folder_.write("ca.crt", new_ca_.pem());
  files.authority_failed();
  EXPECT_TRUE(files.refresh(start_ + seconds(1)).authority);
}

TEST_F(TlsFilesTest, ReadsTheClientCertificateAgainAfterFiveMinutes) {
  TlsFiles files(config_, start_);
  folder_.write("tls.crt", two_.certificate_pem);
  folder_.write("tls.key", two_.key_pem);
  EXPECT_FALSE(files.refresh(start_ + seconds(299)).identity);
  const auto change = files.refresh(start_ + seconds(300));
  EXPECT_TRUE(change.identity);
  EXPECT_FALSE(change.authority);
  EXPECT_EQ(files.certificate_pem(), two_.certificate_pem);
  EXPECT_EQ(files.key_pem(), two_.key_pem);
}

TEST_F(TlsFilesTest, KeepsTheOldPairUntilTheNewOneIsWhole) {
  TlsFiles files(config_, start_);
  folder_.write("tls.crt", two_.certificate_pem);
  EXPECT_FALSE(files.refresh(start_ + minutes(5)).identity);
  EXPECT_EQ(files.certificate_pem(), one_.certificate_pem);
  EXPECT_EQ(files.key_pem(), one_.key_pem);
  folder_.write("tls.key", two_.key_pem);
  EXPECT_TRUE(files.refresh(start_ + minutes(6)).identity);
}

TEST_F(TlsFilesTest, DoesNotTakeAClientCertificateThatIsTooWeak) {
  TlsFiles files(config_, start_);
  fake::CertificateRequest request;
  request.short_key = true;
  const auto weak = ca_.issue(request);
  folder_.write("tls.crt", weak.certificate_pem);
  folder_.write("tls.key", weak.key_pem);
  testing::internal::CaptureStderr();
  EXPECT_FALSE(files.refresh(start_ + minutes(5)).identity);
  EXPECT_EQ(files.certificate_pem(), one_.certificate_pem);
  EXPECT_NE(testing::internal::GetCapturedStderr().find(
                config_.client_certificate_file.string() +
                " cannot be used: its key is too short, or its signature too weak, for OpenSSL"),
            std::string::npos);
}

TEST_F(TlsFilesTest, DoesNotTakeAnExpiredClientCertificate) {
  TlsFiles files(config_, start_);
  fake::CertificateRequest request;
  request.valid_from = std::chrono::hours(-2);
  request.valid_until = std::chrono::hours(-1);
  const auto expired = ca_.issue(request);
  folder_.write("tls.crt", expired.certificate_pem);
  folder_.write("tls.key", expired.key_pem);
  testing::internal::CaptureStderr();
  EXPECT_FALSE(files.refresh(start_ + minutes(5)).identity);
  EXPECT_FALSE(files.refresh(start_ + minutes(6)).identity);
  const auto log = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(log.contains("tls.crt expired at ")) << log;
  EXPECT_EQ(log.find("expired at"), log.rfind("expired at"));  // said once
  EXPECT_EQ(files.certificate_pem(), one_.certificate_pem);
}

TEST_F(TlsFilesTest, ReadsTheClientCertificateAtOnceAfterA401ButNotTwice) {
  TlsFiles files(config_, start_);
  folder_.write("tls.crt", two_.certificate_pem);
  folder_.write("tls.key", two_.key_pem);
  files.rejected(start_ + seconds(1));
  EXPECT_TRUE(files.refresh(start_ + seconds(2)).identity);
  folder_.write("tls.crt", one_.certificate_pem);
  folder_.write("tls.key", one_.key_pem);
  files.rejected(start_ + seconds(1));
  EXPECT_FALSE(files.refresh(start_ + seconds(3)).identity);
}

TEST_F(TlsFilesTest, ReadsNothingThatWasGivenInPlace) {
  config_.ca_file.clear();
  config_.client_certificate_file.clear();
  config_.client_key_file.clear();
  TlsFiles files(config_, start_);
  const auto change = files.refresh(start_ + minutes(60));
  EXPECT_FALSE(change.authority || change.identity);
}

}  // namespace
}  // namespace controller
