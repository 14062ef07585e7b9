#include "controller/host_cleanup/iptables_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

namespace host_cleanup {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string input_for(std::string_view save) {
  const auto plan = plan_removal(save);
  return plan ? plan->input : "error: " + plan.error();
}

std::string filter(const std::string& rules) {
  return "*filter\n:INPUT ACCEPT [0:0]\n:KUBE-FIREWALL - [0:0]\n:mine - [0:0]\n" + rules +
         "COMMIT\n";
}

/// What is there is only KUBE-FIREWALL.
const std::string kOnlyTheChain = "*filter\n:KUBE-FIREWALL - [0:0]\n-X KUBE-FIREWALL\nCOMMIT\n";

TEST(IptablesPlan, OfAWorkerNodeTakesEachTableInOneTransaction) {
  std::ifstream file{NODEREMOVAL_SOURCE_DIR "/test/host/worker.save"};
  std::stringstream save;
  save << file.rdbuf();
  const auto plan = plan_removal(save.str());
  ASSERT_TRUE(plan) << plan.error();
  EXPECT_EQ(plan->chains, 28U);
  EXPECT_EQ(plan->rules, 19U);
  for (const auto* line :
       {"*mangle\n:KUBE-IPTABLES-HINT - [0:0]\n", "-X KUBE-PROXY-CANARY\nCOMMIT\n*filter\n",
        "-D INPUT -j KUBE-FIREWALL\n", "-D DOCKER-USER -g KUBE-FORWARD\n",
        "--comment \"cali:S93hcgKJrXEqnTfs\" -m mark --mark 0x10000/0x10000 -j ACCEPT\n"}) {
    EXPECT_THAT(plan->input, HasSubstr(line));
  }
  EXPECT_THAT(plan->input, HasSubstr("-D POSTROUTING -s 10.244.1.7/32 -m comment --comment "
                                     R"("name: \"cbr0\" id: \"4a1c-KUBE\"")"
                                     " -j CNI-0123456789abcdef01234567\n"));
  for (const auto* word : {"admin", "dport 22", "dport 23", "dport 24", "172.30", "the one of",
                           "CNI-ADMIN", "REDIRECT", "ACCEPT [0:0]", "DROP [0:0]"}) {
    EXPECT_THAT(plan->input, Not(HasSubstr(word)));
  }
}

TEST(IptablesPlan, LooksAtTheTargetOfARuleAndNotAtWhatElseItSays) {
  for (const std::string rule :
       {"-A INPUT -m comment --comment \"to -j KUBE-FIREWALL\" -j ACCEPT\n",
        "-A INPUT -m comment --comment \"a \\\" -j KUBE-FIREWALL \\\" b\" -j ACCEPT\n",
        "-A INPUT -m comment --comment KUBE-FIREWALL -j DROP\n",
        "-A INPUT -m comment --comment -j -j DROP\n", "-A INPUT -m comment --comment -j -g mine\n",
        "-A INPUT -i KUBE-FIREWALL -j DROP\n",
        "-A INPUT -j LOG --log-prefix \"-j KUBE-FIREWALL \"\n", "-A INPUT -j mine\n",
        "-A INPUT -j XKUBE-FIREWALL\n", "-A mine -m comment --comment \"kube KUBE-\" -j RETURN\n",
        "-A INPUT -m comment --comment \"not flanneld forward\" -j ACCEPT\n",
        "-A INPUT -m comment --comment \"cali:tooshort\" -j ACCEPT\n",
        "-A INPUT -p tcp -m tcp --dport 22\n"}) {
    EXPECT_EQ(input_for(filter(rule)), kOnlyTheChain) << rule;
  }
}

TEST(IptablesPlan, DeletesARuleWordForWord) {
  const std::string rule =
      "INPUT -m comment --comment \"it's \\\"x\\\" \\\\ y\"  -p tcp -g KUBE-FIREWALL";
  EXPECT_THAT(input_for(filter("-A " + rule + "\n")), HasSubstr("\n-D " + rule + "\n"));
}

TEST(IptablesPlan, DeletesAsManyRulesAsThereAre) {
  EXPECT_THAT(input_for(filter("-A INPUT -j KUBE-FIREWALL\n-A INPUT -j KUBE-FIREWALL\n")),
              HasSubstr("-D INPUT -j KUBE-FIREWALL\n-D INPUT -j KUBE-FIREWALL\n"));
}

TEST(IptablesPlan, EmptiesChainsBeforeItDeletesTheRulesAndThemselves) {
  EXPECT_EQ(input_for("*nat\n:OUTPUT ACCEPT [0:0]\n:KUBE-A - [0:0]\n:KUBE-B - [0:0]\n"
                      "-A OUTPUT -j KUBE-A\n-A KUBE-A -j KUBE-B\nCOMMIT\n"),
            "*nat\n:KUBE-A - [0:0]\n:KUBE-B - [0:0]\n-D OUTPUT -j KUBE-A\n-X KUBE-A\n-X KUBE-B\n"
            "COMMIT\n");
}

TEST(IptablesPlan, IsEmptyWhereThereIsNothingOfKubernetes) {
  for (const std::string save :
       {"", "*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n", "*filter\nCOMMIT\n*nat\nCOMMIT\n",
        "# Warning: iptables-legacy tables present, use iptables-legacy-save to see them\n",
        "*filter\n:INPUT DROP [1:2]\n:cilium - [0:0]\n-A INPUT -j cilium\nCOMMIT\n"}) {
    EXPECT_EQ(input_for(save), "") << save;
  }
}

TEST(IptablesPlan, IsNoneForATextThatWasCut) {
  const auto whole = filter("-A INPUT -j KUBE-FIREWALL\n");
  for (const auto& text : {whole.substr(0, whole.find("COMMIT")), whole.substr(0, 60),
                           whole.substr(0, whole.find("COMMIT")) + "*nat\nCOMMIT\n"}) {
    EXPECT_EQ(input_for(text), "error: table filter is not printed to its end");
  }
}

TEST(IptablesPlan, NeverDeletesABuiltInChainWhateverItsName) {
  EXPECT_EQ(input_for("*filter\n:KUBE-INPUT ACCEPT [0:0]\nCOMMIT\n"), "");
}

TEST(IptablesPlan, KeepsTheChainOfAdministratorsWhileItHasRulesOfTheirs) {
  const auto save = [](const std::string& rule) {
    return "*filter\n:FORWARD ACCEPT [0:0]\n:CNI-ADMIN - [0:0]\n:CNI-FORWARD - [0:0]\n"
           "-A CNI-FORWARD -j CNI-ADMIN\n" +
           rule + "COMMIT\n";
  };
  EXPECT_THAT(input_for(save("-A CNI-ADMIN -j ACCEPT\n")), Not(HasSubstr("CNI-ADMIN")));
  EXPECT_THAT(input_for(save("")), HasSubstr("-X CNI-ADMIN\n"));
  EXPECT_THAT(input_for(save("-A CNI-ADMIN -j CNI-FORWARD\n")), HasSubstr("-X CNI-ADMIN\n"));
  EXPECT_THAT(input_for(save("-A FORWARD -j CNI-ADMIN\n")), HasSubstr("-D FORWARD -j CNI-ADMIN\n"));
}

TEST(IptablesPlan, NamesTablesThatTheToolCannotShow) {
  const auto plan = plan_removal(
      "# Table `filter' is incompatible, use 'nft' tool.\n*nat\nCOMMIT\n"
      "# Table filter contains incompatible base-chains, use 'nft' tool to list them.\n");
  ASSERT_TRUE(plan);
  EXPECT_THAT(plan->hidden_tables, ElementsAre("filter"));
}

TEST(IptablesPlan, OfAFlushTakesAllRulesAndLeavesThePolicies) {
  const auto plan = plan_flush(
      "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD DROP [0:0]\n:OUTPUT ACCEPT [0:0]\n:a - [0:0]\n"
      "-A INPUT -j a\n-A FORWARD -j ACCEPT\nCOMMIT\n*nat\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n");
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->input, "*filter\n-F INPUT\n-F FORWARD\n-F a\n-X a\nCOMMIT\n");
  EXPECT_EQ(plan->chains, 1U);
  EXPECT_EQ(plan->rules, 2U);
}

TEST(IptablesPlan, SeesWhichChainsWouldCutTheMachineOffWithoutTheirRules) {
  EXPECT_THAT(chains_that_would_close("*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n"
                                      ":OUTPUT ACCEPT [0:0]\n:mine - [0:0]\nCOMMIT\n"
                                      "*raw\n:PREROUTING DROP [0:0]\nCOMMIT\n"),
              ElementsAre("filter INPUT", "raw PREROUTING"));
  EXPECT_THAT(chains_that_would_close("*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n"), IsEmpty());
}

TEST(IptablesPlan, KnowsTheChainsOfKubernetesByTheirBeginning) {
  for (const auto* name : {"KUBE-SERVICES", "KUBE-SVC-A", "CNI-HOSTPORT-DNAT", "CNI-FORWARD",
                           "FLANNEL-FWD", "cali-FORWARD"}) {
    EXPECT_TRUE(is_chain_of_kubernetes(name)) << name;
  }
  for (const auto* name : {"CNI-ADMIN", "INPUT", "kube-services", "XKUBE-", "DOCKER", "KUBE",
                           "calico", "CALI-X", "flannel"}) {
    EXPECT_FALSE(is_chain_of_kubernetes(name)) << name;
  }
}

}  // namespace
}  // namespace host_cleanup
