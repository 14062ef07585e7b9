#include "controller/plugin/completion.hpp"

namespace plugin {
namespace {

constexpr const char* kBash =
    R"(# Completes kubectl-noderemoval. In ~/.bashrc: source <(kubectl-noderemoval completion bash)
_kubectl_noderemoval() {
    local line
    local -a words
    read -ra words <<< "${COMP_LINE:0:COMP_POINT}"
    [[ ${COMP_LINE:0:COMP_POINT} == *' ' ]] && words+=("")
    COMPREPLY=()
    while IFS= read -r line; do
        case $line in
            :0) compopt -o default ;;
            :*) ;;
            *) COMPREPLY+=("${line#*=}") ;;  # bash takes "=" for the end of a word
        esac
    done < <("${words[0]}" __complete "${words[@]:1}" 2>/dev/null)
}
complete -F _kubectl_noderemoval kubectl-noderemoval
)";

constexpr const char* kZsh = R"(#compdef kubectl-noderemoval
# Completes kubectl-noderemoval. In ~/.zshrc, after compinit: source <(kubectl-noderemoval completion zsh)
_kubectl_noderemoval() {
    local line
    local -a found
    for line in "${(@f)$("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
        case $line in
            :0) _files; return ;;
            :*) ;;
            *) found+=("$line") ;;
        esac
    done
    compadd -a found
}
compdef _kubectl_noderemoval kubectl-noderemoval
)";

constexpr const char* kFish =
    R"(# Completes kubectl-noderemoval. In ~/.config/fish/config.fish: kubectl-noderemoval completion fish | source
function __kubectl_noderemoval
    set -l words (commandline -opc)
    set -l last (commandline -ct)
    $words[1] __complete $words[2..-1] "$last" 2>/dev/null | string match -v ':*'
end
complete -c kubectl-noderemoval -f -a '(__kubectl_noderemoval)'
complete -c kubectl-noderemoval -l kubeconfig -r -F
)";

}  // namespace

std::string shell_script(const std::string& shell) {
  return shell == "bash" ? kBash : shell == "zsh" ? kZsh : kFish;
}

}  // namespace plugin
