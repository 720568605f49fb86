//! Takes the constants out of the globals of a core module: each use becomes the number itself.
//!
//! The linker makes a global of every address that code of the standard library may want; each costs every instance 16 bytes.

use anyhow::{Result, anyhow};
use wasm_encoder::reencode::{self, Reencode};
use wasm_encoder::{GlobalSection, Instruction, Module};
use wasmparser::{ExternalKind, Global, GlobalSectionReader, Operator, Parser, Payload, TypeRef};

/// Replaces the globals that never change, except those that others see.
pub(crate) fn replace_constants(module: &[u8]) -> Result<Vec<u8>> {
    let mut constants = Constants::scan(module)?;
    let mut output = Module::new();
    constants.parse_core_module(&mut output, Parser::new(0), module).map_err(|error| anyhow!("{error}"))?;
    Ok(output.finish())
}

#[derive(Default)]
struct Constants {
    /// The value of each global that is a constant.
    values: Vec<Option<i32>>,
    imported: u32,
}

impl Constants {
    fn scan(module: &[u8]) -> Result<Self> {
        let mut found = Self::default();
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        if let TypeRef::Global(_) = import?.ty {
                            found.values.push(None);
                            found.imported += 1;
                        }
                    }
                }
                Payload::GlobalSection(section) => {
                    for global in section {
                        found.values.push(constant(&global?)?);
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        if let (ExternalKind::Global, Some(value)) = (export.kind, found.values.get_mut(export.index as usize)) {
                            *value = None;
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(found)
    }

    fn value(&self, global: u32) -> Option<i32> {
        self.values.get(global as usize).copied().flatten()
    }
}

fn constant(global: &Global<'_>) -> Result<Option<i32>> {
    let mut operators = global.init_expr.get_operators_reader();
    Ok(match (global.ty.mutable, operators.read()?, operators.read()?) {
        (false, Operator::I32Const { value }, Operator::End) => Some(value),
        _ => None,
    })
}

type Outcome<T> = Result<T, reencode::Error<std::convert::Infallible>>;

impl Reencode for Constants {
    type Error = std::convert::Infallible;

    fn global_index(&mut self, global: u32) -> Outcome<u32> {
        let before = self.values.iter().take(global as usize);
        Ok(global - before.flatten().count() as u32)
    }

    fn instruction<'a>(&mut self, operator: Operator<'a>) -> Outcome<Instruction<'a>> {
        if let Operator::GlobalGet { global_index } = operator
            && let Some(value) = self.value(global_index)
        {
            return Ok(Instruction::I32Const(value));
        }
        reencode::utils::instruction(self, operator)
    }

    fn parse_global_section(&mut self, globals: &mut GlobalSection, section: GlobalSectionReader<'_>) -> Outcome<()> {
        for (index, global) in (self.imported..).zip(section) {
            let global = global?;
            if self.value(index).is_none() {
                self.parse_global(globals, global)?;
            }
        }
        Ok(())
    }
}
