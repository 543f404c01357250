// Package print puts on paper what must be there when nothing else works: the
// envelope of a part, the binder, the card of the first ten minutes.
//
// A [Document] is a list of blocks: headings, texts, steps, tables, codes. There is
// one description, and two forms of it: PDF, with its fonts in it, and one HTML page
// that needs nothing else. The same document gives the same bytes, whenever and
// wherever it is printed; its date is part of it. Every page says which version it
// is, and of how many pages.
//
// A secret arrives as [custody.Secret] and leaves through the writer of the caller,
// and no other way: the package opens no file, and knows no temporary one.
//
// What cannot be read on paper is not printed in silence. A letter that no font has
// is a [GlyphError]; a symbol that none has is written as its code point and
// reported. Characters that are not seen, or that turn the order of others, are
// written as code points, too. Arabic and Hebrew are written from right to left
// (UAX 9), Arabic letters in the form that their place asks for.
package print
