# SPDX-License-Identifier: MIT
# Puts the page of an HTML report together: an "@include NAME@" line of report.html is replaced by
# that file of `dir`; "d3" is the library `d3`, "d3.license" the notices of its parts, which
# `notices` lists (Debian's copyright files: a part's, and the texts they share, once each).

function fail(file) {
	print "page: cannot read " file >"/dev/stderr"
	failed = 1
	exit 1
}

function put_file(file,    line, got) {
	while ((got = (getline line <file)) > 0) {
		print line
	}
	if (got < 0) {
		fail(file)
	}
	close(file)
}

function put_stanza(text) {
	if (text !~ /^(Format:|Files: debian\/)/ && !(text in said)) {
		said[text]
		gsub(/&/, "\\&amp;", text)
		gsub(/</, "\\&lt;", text)
		gsub(/\n \.\n/, "\n\n", text)
		print text "\n"
	}
}

function put_notices(file,    text, line, got) {
	while ((got = (getline line <file)) > 0) {
		if (line != "") {
			text = text (text == "" ? "" : "\n") line
		} else if (text != "") {
			put_stanza(text)
			text = ""
		}
	}
	if (text != "") {
		put_stanza(text)
	}
	if (got < 0) {
		fail(file)
	}
	close(file)
}

/^@include d3@$/ {
	put_file(d3)
	next
}

/^@include d3\.license@$/ {
	count = split(notices, files, " ")
	for (i = 1; i <= count; i++) {
		put_notices(files[i])
	}
	next
}

/^@include .*@$/ {
	put_file(dir "/" substr($2, 1, length($2) - 1))
	next
}

{ print }

END { exit failed }
