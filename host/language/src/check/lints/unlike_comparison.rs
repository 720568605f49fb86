//! `unlike-comparison`: `==` between values that can never be equal.

use super::super::File;
use super::super::types::{Type, TypeId};
use crate::diagnostic::Level;
use crate::syntax::Span;
use crate::syntax::ast::BinaryOperator;

impl File<'_> {
    /// Looks at a comparison for equality.
    pub(in crate::check) fn unlike_comparison(&mut self, left: TypeId, right: TypeId, operator: BinaryOperator, span: Span) {
        if left == TypeId::NIL || right == TypeId::NIL || matches!(left, TypeId::ANY | TypeId::UNKNOWN | TypeId::NEVER) {
            return;
        }
        let plain = (self.types().non_nil(left), self.types().non_nil(right));
        if matches!(plain.0, TypeId::NEVER) || matches!(plain.1, TypeId::NEVER | TypeId::ANY | TypeId::UNKNOWN) {
            return;
        }
        // A declared set of literals that lacks the other one is a misspelling; an inferred one is chance.
        let misspelt = self.strict && self.misses_literal(left, right);
        if !misspelt && self.types().overlaps(left, right) {
            return;
        }
        let always = if operator == BinaryOperator::Equal { "false" } else { "true" };
        let message = format!("`{}` and `{}` are never equal, so this is always {always}", self.show(left), self.show(right));
        let diagnostic = self.diagnostic(Level::Warning, "unlike-comparison", span, message, "");
        self.report(diagnostic);
    }

    fn misses_literal(&mut self, left: TypeId, right: TypeId) -> bool {
        let (set, literal) = if matches!(self.checker.types.get(right), Type::Str(_)) { (left, right) } else { (right, left) };
        if !matches!(self.checker.types.get(literal), Type::Str(_)) {
            return false;
        }
        let members = self.types().members(set);
        members.len() > 1
            && !members.contains(&literal)
            && members.iter().all(|member| *member == TypeId::NIL || matches!(self.checker.types.get(*member), Type::Str(_)))
    }
}
