// A kubeconfig; what stands after a line "===" is a second one to be merged with it.
#include <string>

#include "controller/kube_config.hpp"
#include "test/fuzz/fuzz_input.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto cut = text.find("\n===\n");
  // Nothing that a file may name exists in this folder.
  std::vector<controller::KubeconfigText> files{{"/nonexistent/config", text.substr(0, cut)}};
  if (cut != std::string::npos) files.push_back({"/nonexistent/second", text.substr(cut + 5)});

  const auto config = controller::parse_kubeconfig(files, {});
  if (!config) {
    fuzz::require(!config.error().empty(), "a refusal says why");
    return 0;
  }
  fuzz::require(!config->host.empty() && !config->port.empty(), "a good one names the server");
  fuzz::require(!config->insecure_skip_tls_verify, "no kubeconfig alone turns verification off");
  fuzz::require(config->token.find_first_of("\r\n") == std::string::npos,
                "no token can end a header");
  return 0;
}
