# tools/kimage/elf.py — reads the two ELF files the boot file is made of: elf(5).
import struct

PT_LOAD, PT_DYNAMIC = 1, 2
PF_X, PF_W = 1, 2
SHT_SYMTAB = 2
SHN_UNDEF = 0
STT_FUNC = 2
EM_X86_64 = 62
R_X86_64_RELATIVE = 8
DT_NULL, DT_NEEDED, DT_RELA, DT_RELASZ, DT_TEXTREL, DT_JMPREL, DT_RELRSZ, DT_RELR = 0, 1, 7, 8, 22, 23, 35, 36

EHDR = struct.Struct("<16sHHIQQQIHHHHHH")
PHDR = struct.Struct("<IIQQQQQQ")
SHDR = struct.Struct("<IIQQQQIIQQ")
SYM = struct.Struct("<IBBHQQ")
DYN = struct.Struct("<qQ")
RELA = struct.Struct("<QQq")


class BadFile(Exception):
    """A file that no boot file can be made of; the text says why."""


class Elf:
    """An x86-64 ELF file that is linked to run at one piece of memory.

    base, mem_size: that piece. entry: an address. flat: the contents of the loadable segments, from base on. segments: of each
    (start, end with bss, flags), from base as relr and rela, which are (offset, size) of the relocations.
    """

    def __init__(self, path):
        self.path = path
        with open(path, "rb") as file:
            self._file = file.read()
        ident, _, machine, _, self.entry, phoff, self._shoff, _, _, _, phnum, _, self._shnum, _ = EHDR.unpack(self._part(0, EHDR.size))
        if ident[:5] != b"\x7fELF\x02" or machine != EM_X86_64:
            raise self.error("not an x86-64 ELF file")
        headers = list(PHDR.iter_unpack(self._part(phoff, phnum * PHDR.size)))
        loads = [h for h in headers if h[0] == PT_LOAD and h[6]]
        if not loads:
            raise self.error("has no loadable segments")
        self.base = min(address for _, _, _, address, _, _, _, _ in loads)
        self.flat = self._flatten(loads)
        self.segments = [(address - self.base, address - self.base + memory, flags) for _, flags, _, address, _, _, memory, _ in loads]
        self.mem_size = max(end for _, end, _ in self.segments)
        self.relr = self.rela = (0, 0)
        for kind, _, offset, _, _, size, _, _ in headers:
            if kind == PT_DYNAMIC:
                self._read_dynamic(self._part(offset, size))
        self._check_relocations()
        self._symbols = None

    def error(self, why):
        return BadFile(f"{self.path}: {why}")

    def _part(self, offset, size):
        if offset + size > len(self._file):
            raise self.error("damaged: a table lies outside the file")
        return self._file[offset:offset + size]

    def _flatten(self, loads):
        end = max((address + size for _, _, _, address, _, size, _, _ in loads if size), default=self.base)
        if end - self.base > 1 << 30:
            raise self.error("its segments are far apart")
        flat = bytearray(end - self.base)
        for _, _, offset, address, _, size, _, _ in loads:
            flat[address - self.base:address - self.base + size] = self._part(offset, size)
        return flat

    def _read_dynamic(self, table):
        tags = {}
        for tag, value in DYN.iter_unpack(table[:len(table) // DYN.size * DYN.size]):
            if tag == DT_NULL:
                break
            tags[tag] = value
        if tags.keys() & {DT_JMPREL, DT_NEEDED, DT_TEXTREL}:
            raise self.error("needs libraries, or has relocations in its code")
        if DT_RELR in tags:
            self.relr = tags[DT_RELR] - self.base, tags[DT_RELRSZ]
        if DT_RELA in tags:
            self.rela = tags[DT_RELA] - self.base, tags[DT_RELASZ]

    def _check_relocations(self):
        # All that the loader can do is to add the slide.
        start, size = self.rela
        if start + size > len(self.flat):
            raise self.error("damaged: relocations lie outside the segments")
        for _, info, _ in RELA.iter_unpack(self.flat[start:start + size // RELA.size * RELA.size]):
            if info & 0xffffffff != R_X86_64_RELATIVE:
                raise self.error("has a relocation against a symbol; is something undefined?")

    def symbols(self):
        """Every defined symbol: a list of (name in bytes, value, ELF type, size)."""
        if self._symbols is None:
            sections = list(SHDR.iter_unpack(self._part(self._shoff, self._shnum * SHDR.size)))
            self._symbols = []
            for _, kind, _, _, offset, size, link, _, _, _ in sections:
                if kind != SHT_SYMTAB or link >= len(sections):
                    continue
                names = self._part(sections[link][4], sections[link][5])
                for name, info, _, section, value, length in SYM.iter_unpack(self._part(offset, size // SYM.size * SYM.size)):
                    if section != SHN_UNDEF and name < len(names):
                        self._symbols.append((names[name:names.index(b"\0", name)], value, info & 15, length))
        return self._symbols

    def symbol(self, wanted):
        """The address of a symbol."""
        for name, value, _, _ in self.symbols():
            if name == wanted:
                return value
        raise self.error(f"no symbol {wanted.decode()}")
