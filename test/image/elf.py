"""What an ELF file says of itself, and which hardening it lacks."""

from pathlib import Path

from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

FLAGS_BIND_NOW, FLAGS_TEXTREL = 0x8, 0x4
FLAGS_1_NOW, FLAGS_1_PIE = 0x1, 0x08000000
X86_IBT_AND_SHSTK = 0x3


class Elf:
    """One file, read whole."""

    def __init__(self, path):
        with Path(path).open("rb") as stream:
            file = ELFFile(stream)
            sections = list(file.iter_sections())
            tags = [tag for section in sections if isinstance(section, DynamicSection)
                    for tag in section.iter_tags()]
            values = {tag.entry.d_tag: tag.entry.d_val for tag in tags}
            self.names = {section.name for section in sections}
            self.needed = {tag.needed for tag in tags if tag.entry.d_tag == "DT_NEEDED"}
            self.soname = next((tag.soname for tag in tags if tag.entry.d_tag == "DT_SONAME"), None)
            self.tags = set(values)
            self.flags, self.flags_1 = values.get("DT_FLAGS", 0), values.get("DT_FLAGS_1", 0)
            self.segments = {}
            for segment in file.iter_segments():
                self.segments.setdefault(segment["p_type"], []).append(segment["p_flags"])
            self.interpreter = next((segment.get_interp_name() for segment in file.iter_segments()
                                     if segment["p_type"] == "PT_INTERP"), None)
            self.undefined = {symbol.name for section in sections if isinstance(section, SymbolTableSection)
                              for symbol in section.iter_symbols() if symbol["st_shndx"] == "SHN_UNDEF"}
            self.x86_features = self._x86_features(file)

    @staticmethod
    def _x86_features(file):
        """The bits of GNU_PROPERTY_X86_FEATURE_1_AND; 0 without one."""
        section = file.get_section_by_name(".note.gnu.property")
        for note in section.iter_notes() if section else ():
            for each in note["n_desc"]:
                if each["pr_type"] == "GNU_PROPERTY_X86_FEATURE_1_AND":
                    return each["pr_data"]
        return 0


def weaknesses(elf):
    """What a shipped program must have and this one has not, in words."""
    executable, writable = 0x1, 0x2
    flags = [each for kind in elf.segments.values() for each in kind]
    now = elf.flags & FLAGS_BIND_NOW or elf.flags_1 & FLAGS_1_NOW
    checks = {
        "not position independent": not elf.flags_1 & FLAGS_1_PIE,
        "no full RELRO": "PT_GNU_RELRO" not in elf.segments or not now,
        "executable stack": any(each & executable for each in elf.segments.get("PT_GNU_STACK", [executable])),
        "writable and executable segment": any(each & executable and each & writable for each in flags),
        "text relocations": bool(elf.flags & FLAGS_TEXTREL or "DT_TEXTREL" in elf.tags),
        "RPATH or RUNPATH": bool({"DT_RPATH", "DT_RUNPATH"} & elf.tags),
        "no stack canary": "__stack_chk_fail" not in elf.undefined,
        "no FORTIFY_SOURCE": not any(name.endswith("_chk") for name in elf.undefined),
        "not stripped": bool({".symtab", ".debug_info"} & elf.names),
    }
    return {text for text, weak in checks.items() if weak}
