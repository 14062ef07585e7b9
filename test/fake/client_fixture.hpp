#pragma once

#include <gtest/gtest.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "controller/http_kube_client.hpp"
#include "test/fake/https_server.hpp"
#include "test/fake/test_certificates.hpp"

namespace fake {

/// A real client and a scripted server, over real TLS, in one thread. When the test is over nothing
/// may be left to do: neither a timer nor a connection of the client.
class ClientFixture : public testing::Test {
 protected:
  static constexpr controller::Resource kNodes{"api/v1", "nodes", "Node", false};
  static constexpr controller::Resource kPods{"api/v1", "pods", "Pod", true};

  ClientFixture() : server_(io_, ca_.issue(loopback())) {
    config_.host = "127.0.0.1";
    config_.port = std::to_string(server_.port());
    config_.tls_server_name = "127.0.0.1";
    config_.ca_pem = ca_.pem();
    config_.source = "the test";
    options_.connect_timeout = std::chrono::seconds(5);
  }

  void TearDown() override {
    client_.reset();
    server_.stop();
    io_.restart();
    io_.run_for(std::chrono::seconds(5));
    EXPECT_TRUE(io_.stopped()) << "something is still waiting";
  }

  static CertificateRequest loopback() {
    CertificateRequest request;
    request.subject_alt_name = "IP:127.0.0.1";
    return request;
  }

  controller::KubeClient& client() {
    if (!client_) client_ = controller::make_http_kube_client(config_, options_);
    return *client_;
  }

  /// The next call makes a client of the present config_ and options_.
  void forget_client() { client_.reset(); }

  /// Runs the io_context until `op` has ended; at most 10 s, which no test should need.
  template <typename T>
  T run(boost::asio::awaitable<T> op) {
    return run_cancellable(std::move(op), boost::asio::cancellation_slot());
  }

  template <typename T>
  T run_cancellable(boost::asio::awaitable<T> op, boost::asio::cancellation_slot slot) {
    std::optional<T> value;
    std::exception_ptr error;
    boost::asio::co_spawn(
        io_, std::move(op),
        boost::asio::bind_cancellation_slot(slot, [&](const std::exception_ptr& e, T v) {
          error = e;
          value = std::move(v);
        }));
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!value && std::chrono::steady_clock::now() < deadline) io_.run_one_until(deadline);
    if (!value) throw std::runtime_error("the operation did not end");
    if (error) std::rethrow_exception(error);
    return std::move(*value);
  }

  /// Cancels `op` after the io_context has gone round `rounds` times. True when it ended as
  /// cancelled calls must.
  template <typename T>
  bool cancelled_after(int rounds, boost::asio::awaitable<T> op) {
    boost::asio::cancellation_signal cancel;
    emit_after(rounds, cancel);
    try {
      run_cancellable(std::move(op), cancel.slot());
    } catch (const boost::system::system_error& error) {
      EXPECT_EQ(error.code(), boost::asio::error::operation_aborted);
      return true;
    }
    return false;
  }

  /// Lets everything happen that can happen until `condition` holds.
  template <typename Condition>
  void run_until(Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!condition() && std::chrono::steady_clock::now() < deadline) io_.run_one_until(deadline);
    ASSERT_TRUE(condition());
  }

  auto get_node() { return run(client().get(node("n1"))); }

  static controller::ObjectRef node(const std::string& name) { return {kNodes, "", name}; }
  static controller::PodRef pod() { return {"default", "web-1", "u-1"}; }

  std::string url(const std::string& path) const {
    return "https://127.0.0.1:" + config_.port + path;
  }

  static std::string node_json(const std::string& name) {
    return R"({"kind":"Node","apiVersion":"v1","metadata":{"name":")" + name + R"("}})";
  }

  boost::asio::io_context io_{1};
  CertificateAuthority ca_;
  HttpsServer server_;
  controller::KubeConfig config_;
  controller::ClientOptions options_;

 private:
  void emit_after(int rounds, boost::asio::cancellation_signal& cancel) {
    boost::asio::post(io_, [this, rounds, &cancel] {
      if (rounds > 0) return emit_after(rounds - 1, cancel);
      cancel.emit(boost::asio::cancellation_type::terminal);
    });
  }

  std::unique_ptr<controller::KubeClient> client_;
};

}  // namespace fake
