//! Takes the WASI imports out of a core module: each becomes a function of its own that traps.
//!
//! The C and Rust libraries pull them in, but the guest never calls them. What is not imported cannot be misused, need not be
//! linked, and costs no memory in every process.

use anyhow::{Result, anyhow};
use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{CodeSection, Function, FunctionSection, ImportSection, Instruction, Module};
use wasmparser::{CodeSectionReader, FunctionSectionReader, ImportSectionReader, Parser, Payload, TypeRef};

/// Replaces every function import from a module whose name starts with `wasi:`.
pub(crate) fn replace_wasi_imports(module: &[u8]) -> Result<Vec<u8>> {
    let mut stubs = Stubs::scan(module)?;
    let mut output = Module::new();
    stubs.parse_core_module(&mut output, Parser::new(0), module).map_err(|error| anyhow!("{error}"))?;
    Ok(output.finish())
}

struct Stubs {
    /// New index of each function, by its old one.
    indexes: Vec<u32>,
    /// Type of each stub.
    types: Vec<u32>,
    /// Which stub, if any, is the seed of hash maps. It returns instead of trapping and so gives a seed that is the same in every
    /// process: libraries of the guest build maps, and a process that floods its own harms only itself.
    seed: Option<usize>,
}

impl Stubs {
    fn scan(module: &[u8]) -> Result<Self> {
        let mut imported = Vec::new();
        let mut seed = None;
        let mut stubs = 0;
        let mut defined = 0u32;
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import?;
                        if let TypeRef::Func(type_index) = import.ty {
                            let stub = import.module.starts_with("wasi:");
                            if stub && import.name == "insecure-seed" {
                                seed = Some(stubs);
                            }
                            stubs += usize::from(stub);
                            imported.push((stub, type_index));
                        }
                    }
                }
                Payload::FunctionSection(section) => defined = section.count(),
                _ => {}
            }
        }
        let kept = u32::try_from(imported.iter().filter(|(stub, _)| !stub).count())?;
        let (mut next_kept, mut next_stub) = (0, kept + defined);
        let mut indexes = Vec::new();
        let mut types = Vec::new();
        for (stub, type_index) in imported {
            if stub {
                indexes.push(next_stub);
                types.push(type_index);
                next_stub += 1;
            } else {
                indexes.push(next_kept);
                next_kept += 1;
            }
        }
        indexes.extend(kept..kept + defined);
        Ok(Self { indexes, types, seed })
    }
}

type Outcome<T> = Result<T, reencode::Error<std::convert::Infallible>>;

impl Reencode for Stubs {
    type Error = std::convert::Infallible;

    fn function_index(&mut self, index: u32) -> Outcome<u32> {
        self.indexes.get(index as usize).copied().ok_or(reencode::Error::UnexpectedNonCoreModuleSection)
    }

    fn parse_import_section(&mut self, imports: &mut ImportSection, section: ImportSectionReader<'_>) -> Outcome<()> {
        for import in section.into_imports() {
            let import = import?;
            if !(matches!(import.ty, TypeRef::Func(_)) && import.module.starts_with("wasi:")) {
                reencode::utils::parse_import(self, imports, import)?;
            }
        }
        Ok(())
    }

    fn parse_function_section(&mut self, functions: &mut FunctionSection, section: FunctionSectionReader<'_>) -> Outcome<()> {
        reencode::utils::parse_function_section(self, functions, section)?;
        for type_index in self.types.clone() {
            functions.function(self.type_index(type_index)?);
        }
        Ok(())
    }

    fn parse_code_section(&mut self, code: &mut CodeSection, section: CodeSectionReader<'_>) -> Outcome<()> {
        reencode::utils::parse_code_section(self, code, section)?;
        for stub in 0..self.types.len() {
            let mut body = Function::new([]);
            if self.seed != Some(stub) {
                body.instruction(&Instruction::Unreachable);
            }
            body.instruction(&Instruction::End);
            code.function(&body);
        }
        Ok(())
    }
}
