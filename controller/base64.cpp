#include "controller/base64.hpp"

#include <openssl/evp.h>

#include <algorithm>

namespace controller {

std::string base64_encode(std::string_view text) {
  std::string out((text.size() + 2) / 3 * 4 + 1, '\0');  // OpenSSL ends it with a NUL
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

std::optional<std::string> base64_decode(std::string text) {
  std::erase_if(text, [](char c) { return c == '\n' || c == '\r' || c == ' '; });
  const auto padding = static_cast<std::size_t>(std::ranges::count(text, '='));
  std::string out(text.size() / 4 * 3, '\0');
  const int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()),
                                   static_cast<int>(text.size()));
  if (size < 0 || padding > 2 || text.empty()) return std::nullopt;
  out.resize(static_cast<std::size_t>(size) - padding);  // OpenSSL counts the padding as zeros
  return out;
}

}  // namespace controller
