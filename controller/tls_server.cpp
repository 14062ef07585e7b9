#include "controller/tls_server.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

#include <cstddef>
#include <new>
#include <utility>

#include "controller/key_pair.hpp"
#include "controller/log.hpp"
#include "controller/small_file.hpp"

namespace controller {

void TlsServer::Free::operator()(SSL_CTX* context) const { SSL_CTX_free(context); }

TlsServer::TlsServer(std::filesystem::path certificate_file, std::filesystem::path key_file)
    : certificate_file_(std::move(certificate_file)), key_file_(std::move(key_file)) {}

std::expected<std::unique_ptr<TlsServer>, std::string> TlsServer::open(
    std::filesystem::path certificate_file, std::filesystem::path key_file) {
  std::unique_ptr<TlsServer> server{
      new TlsServer{std::move(certificate_file), std::move(key_file)}};
  server->tried_ = server->stamp();
  auto context = server->load();
  if (!context) return std::unexpected(std::move(context).error());
  server->context_ = std::move(*context);
  return server;
}

std::expected<TlsServer::Context, std::string> TlsServer::load() const {
  const auto certificate_pem = read_small_file(certificate_file_, kMaxTextFile);
  if (!certificate_pem) return std::unexpected(certificate_pem.error());
  const auto key_pem = read_small_file(key_file_, kMaxTextFile);
  if (!key_pem) return std::unexpected(key_pem.error());
  const auto pair =
      read_key_pair(*certificate_pem, certificate_file_.string(), *key_pem, key_file_.string());
  if (!pair) return std::unexpected(pair.error());
  Context context{SSL_CTX_new(TLS_server_method())};
  if (!context) throw std::bad_alloc();
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(),
                      SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  if (!use_key_pair(context.get(), *pair)) {
    return std::unexpected(
        fmt::format("the certificate in {} cannot be used", certificate_file_.string()));
  }
  return context;
}

TlsServer::Stamp TlsServer::stamp() const {
  Stamp out;
  for (const auto& file : {certificate_file_, key_file_}) {
    struct stat found{};
    if (::stat(file.c_str(), &found) != 0) found = {};
    out.insert(out.end(), {static_cast<std::int64_t>(found.st_ino), found.st_size,
                           found.st_mtim.tv_sec, found.st_mtim.tv_nsec});
  }
  return out;
}

SSL* TlsServer::new_connection() {
  // Taken before the files are read: a change in between is seen the next time.
  auto now = stamp();
  if (now != tried_) {
    tried_ = std::move(now);
    if (auto context = load()) {
      context_ = std::move(*context);
      log(LogLevel::Info, "read the new certificate of the metrics address",
          {{"file", certificate_file_.string()}});
    } else {
      log(LogLevel::Warning, "keeps the old certificate of the metrics address",
          {{"error", context.error()}});
    }
  }
  return SSL_new(context_.get());
}

}  // namespace controller
